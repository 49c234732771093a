import { IconChevronDown, IconChevronRight, IconX } from '@tabler/icons-react';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Fact, Trace } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { KindIcon } from './KindIcon.tsx';
import { isError, kindOf, type Look, ticks, titleOf } from './look.ts';
import { Minimap } from './Minimap.tsx';
import { Swatch } from './ServiceName.tsx';
import { ancestors, buildTree, type Row, visibleRows } from './tree.ts';
import classes from './Waterfall.module.css';
import { walk } from './walk.ts';

const ROW = 28;

interface Props {
  trace: Trace;
  services: Map<string, Look>;
  cited: Map<string, Fact[]>;
  selected?: string;
  onSelect: (span: string | undefined) => void;
}

/** The spans as bars over time. Arrows walk the tree, left and right close and open it. */
export function Waterfall({ trace, services, cited, selected, onSelect }: Props) {
  const { t } = useTranslation();
  const scroller = useRef<HTMLDivElement>(null);
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [zoom, setZoom] = useState<[number, number]>([0, 1]);
  const [names, startResize] = useNameWidth();
  const tree = useMemo(() => buildTree(trace.spans), [trace]);
  const rows = useMemo(() => visibleRows(tree, collapsed), [tree, collapsed]);
  const all = useMemo(() => visibleRows(tree, new Set()), [tree]);
  const at = rows.findIndex((row) => row.span.span_id === selected);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 12,
    scrollPaddingStart: ROW,
    scrollPaddingEnd: ROW,
  });

  // A span the address names is opened, scrolled to and marked.
  useEffect(() => {
    if (!selected) return;
    const above = ancestors(trace.spans, selected);
    setCollapsed((old) =>
      above.some((id) => old.has(id)) ? new Set([...old].filter((id) => !above.includes(id))) : old,
    );
  }, [selected, trace]);
  const first = useRef(true);
  useEffect(() => {
    if (at < 0) return;
    virtual.scrollToIndex(at, { align: first.current ? 'center' : 'auto' });
    first.current = false;
  }, [at, virtual]);

  const toggle = (id: string, close: boolean) => {
    const next = new Set(collapsed);
    if (close) next.add(id);
    else next.delete(id);
    setCollapsed(next);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = walk(event.key, rows, at);
    if (!step) return;
    event.preventDefault();
    if ('go' in step) onSelect(rows[step.go]?.span.span_id);
    else if ('open' in step) toggle(step.open, false);
    else if ('close' in step) toggle(step.close, true);
    else onSelect(undefined);
  };

  const from = zoom[0] * trace.duration_ns;
  const to = zoom[1] * trace.duration_ns;
  const place = (ns: number) => ((ns - from) / (to - from)) * 100;
  return (
    <section
      className={`panel ${classes.waterfall}`}
      style={{ '--names': `${names}px` } as React.CSSProperties}
      aria-label={t('trace.waterfall')}
    >
      <Minimap rows={all} total={trace.duration_ns} services={services} zoom={zoom} onZoom={setZoom} />
      <div className={classes.ruler} aria-hidden>
        <div className={classes.rulerName}>{t('trace.span')}</div>
        <div className={classes.handle} onPointerDown={startResize} />
        <div className={classes.rulerTime}>
          {ticks(from, to, 6).map((ns) => (
            <span key={ns} style={{ left: `${place(ns)}%` }}>
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
        aria-activedescendant={at >= 0 ? `span-${selected}` : undefined}
        onKeyDown={onKeyDown}
      >
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = rows[index];
            return (
              row && (
                <SpanRow
                  key={row.span.span_id}
                  row={row}
                  index={index}
                  top={start}
                  look={services.get(row.span.service)}
                  facts={cited.get(row.span.span_id)}
                  selected={index === at}
                  left={place(row.span.start_offset_ns)}
                  width={(row.span.duration_ns / (to - from)) * 100}
                  onSelect={() => onSelect(row.span.span_id)}
                  onToggle={() => toggle(row.span.span_id, !row.collapsed)}
                />
              )
            );
          })}
        </div>
      </div>
    </section>
  );
}

interface RowProps {
  row: Row;
  index: number;
  top: number;
  look?: Look;
  facts?: Fact[];
  selected: boolean;
  /** Percent of the window in sight. */
  left: number;
  width: number;
  onSelect: () => void;
  onToggle: () => void;
}

function SpanRow({ row, index, top, look, facts, selected, left, width, onSelect, onToggle }: RowProps) {
  const { t } = useTranslation();
  const { span, depth, below } = row;
  const error = isError(span);
  const Chevron = row.collapsed ? IconChevronRight : IconChevronDown;
  const clipped = { left: Math.max(0, left), right: Math.min(100, left + width) };
  const inSight = clipped.right >= 0 && clipped.left <= 100;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the treegrid's
    <div
      id={`span-${span.span_id}`}
      className={classes.row}
      role="row"
      tabIndex={-1}
      aria-rowindex={index + 1}
      aria-level={depth + 1}
      aria-expanded={below > 0 ? !row.collapsed : undefined}
      aria-selected={selected}
      data-cited={facts ? true : undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={onSelect}
    >
      <div role="gridcell" className={classes.name} style={{ paddingLeft: 8 + Math.min(depth, 24) * 14 }}>
        {below > 0 ? (
          <button
            type="button"
            tabIndex={-1}
            className={classes.toggle}
            aria-label={t(row.collapsed ? 'trace.expand' : 'trace.collapse', { count: below })}
            onClick={(event) => {
              event.stopPropagation();
              onToggle();
            }}
          >
            <Chevron size={14} />
          </button>
        ) : (
          <span className={classes.leaf} />
        )}
        <Swatch name={span.service} look={look} />
        <KindIcon kind={kindOf(span)} />
        <span className="clip" data-strong={span.entry || undefined}>
          {titleOf(span)}
        </span>
        <span className={span.entry ? `clip ${classes.owner}` : 'offscreen'}>{span.service}</span>
        {row.collapsed && <span className={classes.hidden}>{`+${below}`}</span>}
        {error && (
          <IconX
            size={14}
            stroke={2.6}
            color="var(--mx-critical)"
            role="img"
            aria-label={t('trace.error')}
            className={classes.cross}
          />
        )}
        {facts?.map((fact) => (
          <span key={fact.id} className={classes.fact}>
            {fact.id}
          </span>
        ))}
      </div>
      <div role="gridcell" className={classes.lane}>
        {inSight && (
          <i
            className={classes.bar}
            data-entry={span.entry || undefined}
            data-error={error || undefined}
            style={
              {
                left: `${clipped.left}%`,
                width: `${clipped.right - clipped.left}%`,
                '--c': look?.colour,
              } as React.CSSProperties
            }
            aria-hidden
          />
        )}
        <span className={classes.length} style={{ left: `${Math.max(0, Math.min(100, clipped.right))}%` }}>
          {duration(span.duration_ns)}
        </span>
      </div>
    </div>
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
