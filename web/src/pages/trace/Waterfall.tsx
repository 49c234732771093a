import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Fact } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { type Look, ticks } from './look.ts';
import { Minimap } from './Minimap.tsx';
import { above, type Model, next, operationOf, rowOf, rowsOf } from './model.ts';
import { SpanRow } from './SpanRow.tsx';
import classes from './Waterfall.module.css';
import { walk } from './walk.ts';

const ROW = 28;

interface Props {
  model: Model;
  services: Map<string, Look>;
  cited: Map<string, Fact[]>;
  /** The selected span, -1: none. */
  selected: number;
  collapsed: ReadonlySet<number>;
  /** The spans that stand out while one searches or looks at one service; all when undefined. */
  lit?: ReadonlySet<number>;
  critical: boolean;
  onSelect: (span: number | undefined) => void;
  onCollapse: (collapsed: ReadonlySet<number>) => void;
  onSearch: () => void;
  onDetail: () => void;
}

/** The spans as bars over time. Arrows walk the tree, left and right close and open it. */
export function Waterfall(props: Props) {
  const { model, services, cited, selected, collapsed, lit, critical, onSelect, onCollapse } = props;
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const [zoom, setZoom] = useState<[number, number]>([0, 1]);
  const [names, startResize] = useNameWidth();
  const { spans, outline } = model;
  const rows = useMemo(() => rowsOf(spans, collapsed), [spans, collapsed]);
  const at = rowOf(rows, selected);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
    scrollPaddingStart: ROW,
    scrollPaddingEnd: ROW,
  });

  // A span the address names is opened, scrolled to and marked.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a new selection opens; what the reader closes then stays closed
  useEffect(() => {
    const hiding = above(spans, selected).filter((i) => collapsed.has(i));
    if (hiding.length > 0) onCollapse(new Set([...collapsed].filter((i) => !hiding.includes(i))));
  }, [selected, spans]);
  const first = useRef(true);
  useEffect(() => {
    if (at < 0) return;
    virtual.scrollToIndex(at, { align: first.current ? 'center' : 'auto' });
    first.current = false;
  }, [at, virtual]);

  const toggle = (span: number, close: boolean) => {
    const after = new Set(collapsed);
    if (close) after.add(span);
    else after.delete(span);
    onCollapse(after);
  };
  const acts = {
    leave: () => onSelect(undefined),
    detail: props.onDetail,
    search: props.onSearch,
    next_failed: () => onSelect(next(model.failed, selected)),
    previous_failed: () => onSelect(next(model.failed, selected, true)),
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = walk(event.key, spans, rows, at, collapsed);
    if (!step) return;
    event.preventDefault();
    event.stopPropagation(); // "/" outside of the trace searches everywhere
    if ('go' in step) onSelect(rows[step.go]);
    else if ('open' in step) toggle(step.open, false);
    else if ('close' in step) toggle(step.close, true);
    else acts[step.act]();
  };

  const total = Math.max(1, outline.duration_ns);
  const from = zoom[0] * total;
  const to = zoom[1] * total;
  return (
    <section
      className={classes.waterfall}
      style={{ '--names': `${names}px` } as React.CSSProperties}
      aria-label={t('trace.waterfall')}
    >
      <Minimap model={model} services={services} zoom={zoom} onZoom={setZoom} />
      <div className={classes.ruler} aria-hidden>
        <div className={classes.rulerName}>{t('trace.span')}</div>
        <div className={classes.handle} onPointerDown={startResize} />
        <div className={classes.rulerTime}>
          {ticks(from, to, 6).map((ns) => (
            <span key={ns} style={{ left: `${((ns - from) / (to - from)) * 100}%` }}>
              {duration(ns)}
            </span>
          ))}
        </div>
      </div>
      <div
        ref={scroller}
        className={classes.scroller}
        style={{ '--rows': `${virtual.getTotalSize()}px` } as React.CSSProperties}
        role="treegrid"
        tabIndex={0}
        aria-label={t('trace.keys')}
        aria-rowcount={rows.length}
        aria-activedescendant={at >= 0 ? `span-${spans[selected]?.span_id}` : undefined}
        onKeyDown={onKeyDown}
      >
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const i = rows[index];
            if (i === undefined) return null;
            return (
              <SpanRow
                key={i}
                model={model}
                span={i}
                row={index}
                top={start}
                look={services.get(operationOf(model, i).service)}
                facts={cited.get(spans[i]?.span_id ?? '')}
                selected={i === selected}
                collapsed={collapsed.has(i)}
                dark={lit !== undefined && !lit.has(i)}
                critical={critical}
                from={from}
                to={to}
                onSelect={() => onSelect(i)}
                onToggle={() => toggle(i, !collapsed.has(i))}
              />
            );
          })}
        </div>
      </div>
    </section>
  );
}

/** The width of the names' column, which the reader may drag. */
function useNameWidth(): [number, (event: PointerEvent) => void] {
  const [width, setWidth] = useState(() => Math.min(440, Math.max(170, window.innerWidth * 0.24)));
  const start = (event: PointerEvent) => {
    const origin = event.clientX - width;
    const move = (e: globalThis.PointerEvent) =>
      setWidth(Math.max(120, Math.min(window.innerWidth * 0.6, e.clientX - origin)));
    const stop = () => window.removeEventListener('pointermove', move);
    window.addEventListener('pointermove', move);
    window.addEventListener('pointerup', stop, { once: true });
    event.preventDefault();
  };
  return [width, start];
}
