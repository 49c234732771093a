import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Dots, Rectangle } from '../../api/scatter.ts';
import type { Heat } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { precise } from '../../format/time.ts';
import { type Axes, columns, fromX, fromY, rows, toX, toY } from './axis.ts';
import { colours, heat as drawHeat, lines, nearest, paint } from './draw.ts';
import classes from './Scatter.module.css';

/** What of the plot's box is left to the axes' labels. */
export const MARGIN = { left: 64, bottom: 22, top: 8, right: 8 };
export const HEIGHT = 300;

interface Props {
  axes: Omit<Axes, 'width' | 'height'>;
  dots?: Dots;
  heat?: Heat;
  /** Changes with the theme, whose colours the canvas cannot inherit. */
  scheme: string;
  selected?: Rectangle;
  label: string;
  onSelect: (rectangle: Rectangle | undefined) => void;
  onWidth: (width: number) => void;
}

interface Drag {
  x: number;
  y: number;
  toX: number;
  toY: number;
}

/** The picture itself: a canvas, its axes, and a rectangle that one drags. */
export function Plot({ axes: edges, dots, heat, scheme, selected, label, onSelect, onWidth }: Props) {
  const { i18n } = useTranslation();
  const box = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [drag, setDrag] = useState<Drag>();
  const [over, setOver] = useState<{ x: number; y: number }>();
  const width = Math.max(0, Math.floor(box.width) - MARGIN.left - MARGIN.right);
  const height = HEIGHT - MARGIN.top - MARGIN.bottom;
  const axes: Axes = { ...edges, width, height };
  const { from, to, top, log } = edges;

  useEffect(() => {
    if (width > 0) onWidth(width);
  }, [width, onWidth]);

  useEffect(() => {
    const element = canvas.current;
    const context = element?.getContext('2d');
    if (!element || !context || width === 0 || !scheme) return;
    const begin = performance.now();
    const scale = window.devicePixelRatio || 1;
    element.width = Math.round(width * scale);
    element.height = Math.round(height * scale);
    const all: Axes = { from, to, top, log, width, height };
    const theme = colours(element);
    if (heat) drawHeat(context, heat, theme);
    else if (dots) paint(context, all, dots, theme, scale);
    lines(context, all, theme.line, scale);
    element.dataset.drawn = String(heat ? heat.total : (dots?.ended.length ?? 0));
    element.dataset.ms = (performance.now() - begin).toFixed(1);
  }, [dots, heat, from, to, top, log, width, height, scheme]);

  const place = (event: PointerEvent<HTMLElement>) => {
    const bounds = event.currentTarget.getBoundingClientRect();
    return {
      x: Math.min(Math.max(event.clientX - bounds.left, 0), width),
      y: Math.min(Math.max(event.clientY - bounds.top, 0), height),
    };
  };
  const finish = () => {
    if (!drag) return;
    setDrag(undefined);
    if (Math.abs(drag.toX - drag.x) < 4 && Math.abs(drag.toY - drag.y) < 4) {
      const at = dots && !heat ? nearest(axes, dots, drag.x, drag.y) : undefined;
      if (at === undefined) return onSelect(undefined);
      const [ended = 0, elapsed = 0] = [dots?.ended[at], dots?.elapsed[at]];
      return onSelect({ from: ended, to: ended, min: elapsed, max: elapsed });
    }
    const upper = Math.min(drag.y, drag.toY);
    onSelect({
      from: Math.floor(fromX(axes, Math.min(drag.x, drag.toX))),
      to: Math.ceil(fromX(axes, Math.max(drag.x, drag.toX))),
      min: Math.floor(fromY(axes, Math.max(drag.y, drag.toY))),
      // At the upper edge lies all that is above it, too.
      max: upper <= 1 ? Math.max(top, longestOf(dots, heat)) : Math.ceil(fromY(axes, upper)),
    });
  };
  const shown = drag
    ? {
        x: Math.min(drag.x, drag.toX),
        y: Math.min(drag.y, drag.toY),
        w: Math.abs(drag.toX - drag.x),
        h: Math.abs(drag.toY - drag.y),
      }
    : selected && placed(axes, selected);
  return (
    <div ref={box.ref} className={classes.plot} style={{ height: HEIGHT }}>
      <canvas
        ref={canvas}
        className={classes.canvas}
        style={{ left: MARGIN.left, top: MARGIN.top, width, height }}
        role="img"
        aria-label={label}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const { x, y } = place(event);
          setDrag({ x, y, toX: x, toY: y });
        }}
        onPointerMove={(event) => {
          const { x, y } = place(event);
          setOver({ x, y });
          if (drag) setDrag({ ...drag, toX: x, toY: y });
        }}
        onPointerUp={finish}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => setOver(undefined)}
      />
      {shown && (
        <div
          className={classes.selection}
          style={{ left: MARGIN.left + shown.x, top: MARGIN.top + shown.y, width: shown.w, height: shown.h }}
        />
      )}
      <div className={classes.axis} aria-hidden>
        {rows(axes).map((us) => (
          <span key={us} className={classes.value} style={{ top: MARGIN.top + toY(axes, us), width: MARGIN.left - 8 }}>
            {us === 0 ? '0' : duration(us * 1e3, i18n.language)}
          </span>
        ))}
        {columns(axes).map((ms) => (
          <span
            key={ms}
            className={classes.moment}
            style={{ left: MARGIN.left + toX(axes, ms), top: HEIGHT - MARGIN.bottom + 3 }}
          >
            {moment(ms, to - from)}
          </span>
        ))}
      </div>
      {over && !drag && (
        <div className={classes.pointer} aria-hidden>
          {`${precise(fromX(axes, over.x))} · ${duration(fromY(axes, over.y) * 1e3, i18n.language)}`}
        </div>
      )}
    </div>
  );
}

const longestOf = (dots?: Dots, heat?: Heat) => Math.ceil((heat ? heat.longest_ns : (dots?.longest ?? 0)) / 1e3);

/** Where a rectangle lies in the plot, cut to it; undefined when it is not in sight. */
function placed(axes: Axes, { from, to, min, max }: Rectangle) {
  const left = Math.max(toX(axes, from), 0);
  const right = Math.min(toX(axes, to), axes.width);
  if (right < 0 || left > axes.width) return undefined;
  const upper = toY(axes, max);
  const lower = toY(axes, min);
  // A single dot is a ring around it.
  const x = right - left < 8 ? (left + right) / 2 - 5 : left;
  const y = lower - upper < 8 ? (upper + lower) / 2 - 5 : upper;
  return { x, y, w: Math.max(right - left, 10), h: Math.max(lower - upper, 10) };
}

const two = (n: number) => String(n).padStart(2, '0');

/** As short as the span of the axis allows. */
function moment(ms: number, span: number): string {
  const d = new Date(ms);
  const clock = `${two(d.getHours())}:${two(d.getMinutes())}`;
  if (span <= 600_000) return `${clock}:${two(d.getSeconds())}`;
  return span > 86_400_000 ? `${two(d.getMonth() + 1)}-${two(d.getDate())} ${clock}` : clock;
}
