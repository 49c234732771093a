import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useEffect, useLayoutEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { LogRecord } from '../api/types.ts';
import { absolute, stamp } from '../format/time.ts';
import classes from './LogLines.module.css';
import { LEVEL_LOOK } from './levels.ts';
import { useNow } from './useNow.ts';

// The height of a line that is not wrapped, in px.
const ROW = 22;
// What is drawn of a body that stands on one line, in characters.
const ONE_LINE = 600;
// What is drawn of a wrapped one.
const WRAPPED = 4000;

interface Props {
  records: LogRecord[];
  /** Fields shown before the body. */
  columns?: string[];
  /** Bodies in full, over several lines. */
  wrap?: boolean;
  /** What to mark in the bodies. */
  marks?: RegExp;
  /** Leave out the service, where all lines have the same. */
  oneService?: boolean;
  selected?: string;
  onSelect: (record: LogRecord) => void;
  /** The last line has come into sight. */
  onEnd?: () => void;
  /** Keep the last line in sight; told when the reader scrolls away from it, and back. */
  stick?: boolean;
  onStick?: (stick: boolean) => void;
  label: string;
  /** Above the lines, scrolling with them. */
  head?: ReactNode;
  foot?: ReactNode;
}

/** Log records, one line each: any number of them, since only those in sight are drawn. */
export function LogLines(props: Props) {
  const { records, columns = [], wrap = false, marks, oneService, selected, onSelect, onEnd, stick, onStick } = props;
  const { t } = useTranslation();
  const now = useNow();
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: records.length,
    getScrollElement: () => scroller.current,
    getItemKey: (index) => records[index]?.id ?? index,
    estimateSize: () => ROW,
    overscan: 20,
    scrollMargin: 0,
  });
  const at = selected ? records.findIndex((each) => each.id === selected) : -1;
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;

  useEffect(() => {
    if (last >= records.length - 10) onEnd?.();
  }, [last, records.length, onEnd]);

  // A line is brought into sight when it is selected, not when others move it.
  const sought = useRef<string>(undefined);
  useEffect(() => {
    if (at < 0 || sought.current === selected) return;
    virtual.scrollToIndex(at, { align: sought.current ? 'auto' : 'center' });
    sought.current = selected;
  }, [at, selected, virtual]);

  const headed = props.head !== undefined;
  // The lines in sight stay where they are when others come above them.
  const top = useRef<string>(undefined);
  useLayoutEffect(() => {
    const added = top.current ? records.findIndex((each) => each.id === top.current) : -1;
    top.current = records[0]?.id;
    // At the very top the new ones are what is wanted, unless they were asked for by a button there.
    if (added > 0 && !stick && scroller.current && (scroller.current.scrollTop > 0 || headed)) {
      scroller.current.scrollTop += added * ROW;
    }
  }, [records, stick, headed]);

  const height = virtual.getTotalSize();
  const lastTop = useRef(0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the end is somewhere else once the height has changed
  useLayoutEffect(() => {
    const box = scroller.current;
    if (stick && box) box.scrollTop = lastTop.current = box.scrollHeight - box.clientHeight;
  }, [stick, height]);
  const onScroll = () => {
    const box = scroller.current;
    if (!box) return;
    if (box.scrollHeight - box.scrollTop - box.clientHeight < ROW) onStick?.(true);
    else if (box.scrollTop < lastTop.current) onStick?.(false);
    lastTop.current = box.scrollTop;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Enter: 0 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const to = Math.min(Math.max(at + step, 0), records.length - 1);
    const next = records[to];
    if (next && (to !== at || step === 0)) onSelect(next);
  };
  const otherDay = records.some((each) => stamp(each.time, now).length > 12);

  return (
    <div
      ref={scroller}
      className={classes.lines}
      data-wrap={wrap || undefined}
      data-other-day={otherDay || undefined}
      role="grid"
      tabIndex={0}
      aria-label={props.label}
      aria-rowcount={records.length}
      aria-activedescendant={at >= 0 ? `log-${selected}` : undefined}
      onKeyDown={onKeyDown}
      onScroll={onStick && onScroll}
    >
      {props.head}
      <div role="rowgroup" style={{ height, position: 'relative' }}>
        {items.map(({ index, start, key }) => {
          const record = records[index];
          if (!record) return null;
          const { letter, colour } = LEVEL_LOOK[record.level];
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the grid's
            <div
              key={key}
              id={`log-${record.id}`}
              ref={wrap ? virtual.measureElement : undefined}
              data-index={index}
              className={classes.line}
              role="row"
              tabIndex={-1}
              aria-rowindex={index + 1}
              aria-selected={index === at}
              data-level={record.level}
              style={{ transform: `translateY(${start}px)`, '--c': colour } as React.CSSProperties}
              onClick={() => {
                // Text that was just selected is to be copied, not followed.
                if (!window.getSelection()?.toString()) onSelect(record);
              }}
            >
              <span role="gridcell" className={classes.time} title={absolute(record.time)}>
                {stamp(record.time, now)}
              </span>
              <span role="gridcell" className={classes.level} title={record.severity_text || record.level}>
                <span aria-hidden>{letter}</span>
                <span className="offscreen">{t(`logs.level.${record.level}`)}</span>
              </span>
              {!oneService && (
                <span role="gridcell" className={classes.service}>
                  {record.service}
                </span>
              )}
              {columns.map((field) => (
                <span key={field} role="gridcell" className={classes.column}>
                  {fieldOf(record, field)}
                </span>
              ))}
              <span role="gridcell" className={classes.body}>
                <Marked text={wrap ? record.body.slice(0, WRAPPED) : oneLine(record.body)} marks={marks} />
              </span>
            </div>
          );
        })}
      </div>
      {props.foot}
    </div>
  );
}

const oneLine = (body: string) => body.slice(0, ONE_LINE).replace(/\s*[\r\n]+\s*/g, ' ⏎ ');

/** A text with what was looked for in it marked. */
export function Marked({ text, marks }: { text: string; marks?: RegExp }) {
  if (!marks) return text;
  const parts: ReactNode[] = [];
  let from = 0;
  for (const { 0: found, index } of text.matchAll(marks)) {
    if (!found) continue;
    parts.push(text.slice(from, index), <mark key={index}>{found}</mark>);
    from = index + found.length;
  }
  return [...parts, text.slice(from)];
}

/** The value of a field of a record, under the name that a query has for it. */
export function fieldOf(record: LogRecord, field: string): string {
  switch (field) {
    case 'level':
      return record.level;
    case 'service':
      return record.service;
    case 'environment':
      return record.environment ?? '';
    case 'instance':
      return record.instance ?? '';
    case 'version':
      return record.version ?? '';
    case 'logger':
      return record.logger ?? '';
    case 'event':
      return record.event ?? '';
    case 'trace':
      return record.trace_id ?? '';
    case 'span':
      return record.span_id ?? '';
    case 'exception':
      return record.exception_type ?? '';
    default:
      return record.attributes[field.replace(/^attr\./, '')] ?? '';
  }
}
