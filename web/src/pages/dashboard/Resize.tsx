import { type KeyboardEvent, type PointerEvent, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './Dashboard.module.css';
import { HEIGHTS } from './PanelView.tsx';

export interface Size {
  /** Columns of twelve. */
  width: number;
  /** Step of HEIGHTS. */
  height: number;
}

interface Props {
  /** The panel's title. */
  of: string;
  size: Size;
  onResizing: (size: Size | undefined) => void;
  onResize: (size: Size) => void;
}

const SIZES = ['1', '2', '3'] as const;

const KEYS: Record<string, [number, number]> = {
  ArrowRight: [1, 0],
  ArrowLeft: [-1, 0],
  ArrowDown: [0, 1],
  ArrowUp: [0, -1],
};

const within = (width: number, height: number): Size => ({
  width: Math.min(Math.max(width, 1), 12),
  height: Math.min(Math.max(height, 1), HEIGHTS.length - 1),
});

/** The step of HEIGHTS that is nearest to a height in pixels. */
const nearest = (pixels: number) =>
  HEIGHTS.reduce((best, h, i) => (Math.abs(h - pixels) < Math.abs((HEIGHTS[best] ?? 0) - pixels) ? i : best), 1);

/** The corner of a panel: dragged, or moved by the arrows, it changes the panel's size in steps. */
export function Resize({ of, size, onResizing, onResize }: Props) {
  const { t } = useTranslation();
  const drag = useRef<{ x: number; y: number; column: number; from: Size; to: Size }>(undefined);
  const onPointerDown = (event: PointerEvent<HTMLButtonElement>) => {
    const grid = event.currentTarget.closest('section')?.parentElement;
    if (event.button !== 0 || !grid) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const from = { width: size.width, height: size.height };
    drag.current = { x: event.clientX, y: event.clientY, column: grid.clientWidth / 12, from, to: from };
  };
  const onPointerMove = (event: PointerEvent) => {
    const at = drag.current;
    if (!at) return;
    at.to = within(
      at.from.width + Math.round((event.clientX - at.x) / at.column),
      nearest((HEIGHTS[at.from.height] ?? 0) + event.clientY - at.y),
    );
    onResizing(at.to);
  };
  const end = (keep: boolean) => {
    const at = drag.current;
    drag.current = undefined;
    if (!at) return;
    if (keep) onResize(at.to);
    else onResizing(undefined);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && drag.current) return end(false);
    const by = KEYS[event.key];
    if (!by || drag.current) return;
    event.preventDefault();
    onResize(within(size.width + by[0], size.height + by[1]));
  };
  return (
    <>
      <button
        type="button"
        className={classes.resize}
        aria-label={`${t('dashboard.resize')}: ${of}`}
        title={t('dashboard.resize')}
        onPointerDown={onPointerDown}
        onPointerMove={onPointerMove}
        onPointerUp={() => end(true)}
        onPointerCancel={() => end(false)}
        onKeyDown={onKeyDown}
      >
        <svg viewBox="0 0 12 12" width={12} height={12} aria-hidden>
          <path d="M11 2 L2 11 M11 7 L7 11" />
        </svg>
      </button>
      <span
        role="status"
        className={classes.size}
      >{`${size.width}/12 · ${t(`dashboard.size.${SIZES[size.height - 1] ?? '1'}`)}`}</span>
    </>
  );
}
