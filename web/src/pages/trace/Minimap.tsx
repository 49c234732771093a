import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Look } from './look.ts';
import { type Model, operationOf } from './model.ts';
import classes from './Waterfall.module.css';

const HEIGHT = 44;

/** "#rrggbb" as a pixel of an image. */
const pixel = (hex: string) => {
  const rgb = Number.parseInt(hex.trim().slice(1), 16);
  return ((0xff << 24) | ((rgb & 0xff) << 16) | (rgb & 0xff00) | (rgb >> 16)) >>> 0;
};

interface Props {
  model: Model;
  services: Map<string, Look>;
  /** The window in sight, as shares of the whole. */
  zoom: [number, number];
  onZoom: (zoom: [number, number]) => void;
}

/** The whole trace in small. Dragging over it zooms in, a double click goes back. */
export function Minimap({ model, services, zoom, onZoom }: Props) {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { ref, width } = useElementSize();
  const scheme = useComputedColorScheme('light');

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the scheme changes
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context || width === 0) return;
    const wide = Math.max(1, Math.round(width * window.devicePixelRatio));
    const high = Math.round(HEIGHT * window.devicePixelRatio);
    canvas.current.width = wide;
    canvas.current.height = high;
    const style = getComputedStyle(document.documentElement);
    const colour = (token: string) => pixel(style.getPropertyValue(token));
    const colours = new Map([...services].map(([service, look]) => [service, colour(look.colour.slice(4, -1))]));
    const other = colour('--mx-s8');
    const bad = colour('--mx-critical');
    const total = Math.max(1, model.outline.duration_ns);
    const image = context.createImageData(wide, high);
    const pixels = new Uint32Array(image.data.buffer);
    const thick = Math.max(1, Math.min(3 * window.devicePixelRatio, Math.round(high / model.spans.length)));
    for (const [i, span] of model.spans.entries()) {
      const ink = span.failed ? bad : (colours.get(operationOf(model, i).service) ?? other);
      const top = Math.floor((i / Math.max(1, model.spans.length - 1)) * (high - thick));
      const left = Math.min(wide - 1, Math.floor((span.start_ns / total) * wide));
      const right = Math.min(wide, Math.max(left + 1, Math.ceil(((span.start_ns + span.duration_ns) / total) * wide)));
      for (let y = top; y < top + thick; y++) pixels.fill(ink, y * wide + left, y * wide + right);
    }
    context.putImageData(image, 0, 0);
  }, [model, services, width, scheme]);

  const onPointerDown = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const share = (x: number) => Math.max(0, Math.min(1, (x - box.left) / box.width));
    const start = share(event.clientX);
    const move = (e: globalThis.PointerEvent) => {
      const end = share(e.clientX);
      if (Math.abs(end - start) > 0.005) onZoom([Math.min(start, end), Math.max(start, end)]);
    };
    const stop = () => window.removeEventListener('pointermove', move);
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', stop, { once: true });
    event.preventDefault();
  };
  const zoomed = zoom[0] > 0 || zoom[1] < 1;
  return (
    <div className={classes.minimapRow}>
      <div className={classes.minimapName}>
        {zoomed ? (
          <button type="button" onClick={() => onZoom([0, 1])}>
            {t('trace.zoom_out')}
          </button>
        ) : (
          <span>{t('trace.zoom_hint')}</span>
        )}
      </div>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the same spans are reachable by keyboard in the rows below */}
      <div ref={ref} className={classes.minimap} onPointerDown={onPointerDown} onDoubleClick={() => onZoom([0, 1])}>
        <canvas ref={canvas} height={HEIGHT} aria-hidden />
        {zoomed && (
          <>
            <i style={{ left: 0, width: `${zoom[0] * 100}%` }} />
            <i style={{ left: `${zoom[1] * 100}%`, right: 0 }} />
          </>
        )}
      </div>
    </div>
  );
}
