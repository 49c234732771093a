import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { isError, type Look } from './look.ts';
import type { Row } from './tree.ts';
import classes from './Waterfall.module.css';

const HEIGHT = 44;

interface Props {
  rows: Row[];
  total: number;
  services: Map<string, Look>;
  /** The window in sight, as shares of the whole. */
  zoom: [number, number];
  onZoom: (zoom: [number, number]) => void;
}

/** The whole trace in small. Dragging over it zooms in, a double click goes back. */
export function Minimap({ rows, total, services, zoom, onZoom }: Props) {
  const { t } = useTranslation();
  const canvas = useRef<HTMLCanvasElement>(null);
  const { ref, width } = useElementSize();
  const scheme = useComputedColorScheme('light');

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours are read anew when the scheme changes
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (!canvas.current || !context || width === 0) return;
    const scale = window.devicePixelRatio;
    canvas.current.width = width * scale;
    canvas.current.height = HEIGHT * scale;
    context.scale(scale, scale);
    context.clearRect(0, 0, width, HEIGHT);
    const style = getComputedStyle(document.documentElement);
    const colour = (value: string) => style.getPropertyValue(value.slice(4, -1));
    const thick = Math.max(1, Math.min(3, (HEIGHT - 6) / rows.length));
    for (const [i, { span }] of rows.entries()) {
      context.fillStyle = isError(span)
        ? colour('var(--mx-critical)')
        : colour(services.get(span.service)?.colour ?? 'var(--mx-s8)');
      const y = 3 + (i / Math.max(1, rows.length - 1)) * (HEIGHT - 6 - thick);
      context.fillRect(
        (span.start_offset_ns / total) * width,
        y,
        Math.max(1, (span.duration_ns / total) * width),
        thick,
      );
    }
  }, [rows, total, services, width, scheme]);

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
