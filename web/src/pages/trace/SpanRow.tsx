import { IconChevronDown, IconChevronRight, IconLink, IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Fact } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { KindIcon } from './KindIcon.tsx';
import { type Look, stretches } from './look.ts';
import { type Model, operationOf } from './model.ts';
import { Swatch } from './ServiceName.tsx';
import classes from './Waterfall.module.css';

const INDENT = 14;
const DEEPEST = 24; // levels that are indented

interface Props {
  model: Model;
  span: number;
  row: number;
  top: number;
  look?: Look;
  facts?: Fact[];
  selected: boolean;
  collapsed: boolean;
  dark: boolean;
  critical: boolean;
  /** The window in sight, in ns. */
  from: number;
  to: number;
  onSelect: () => void;
  onToggle: () => void;
}

/** One span: its name in the tree, and its bar. */
export function SpanRow(props: Props) {
  const { model, span: i, row, top, look, facts, selected, collapsed, dark } = props;
  const { t } = useTranslation();
  const span = model.spans[i];
  const operation = operationOf(model, i);
  const depth = model.depth[i] ?? 0;
  if (!span) return null;
  const below = span.below ?? 0;
  const Chevron = collapsed ? IconChevronRight : IconChevronDown;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are the treegrid's
    <div
      id={`span-${span.span_id}`}
      className={classes.row}
      role="row"
      tabIndex={-1}
      aria-rowindex={row + 1}
      aria-level={depth + 1}
      aria-expanded={below > 0 ? !collapsed : undefined}
      aria-selected={selected}
      data-cited={facts ? true : undefined}
      data-dark={dark || undefined}
      style={{ transform: `translateY(${top}px)` }}
      onClick={props.onSelect}
    >
      <div className={classes.name} role="gridcell" style={{ paddingLeft: 6 + Math.min(depth, DEEPEST) * INDENT }}>
        {below > 0 ? (
          <button
            type="button"
            className={classes.toggle}
            tabIndex={-1}
            aria-label={t(collapsed ? 'trace.expand' : 'trace.collapse', { count: below })}
            onClick={(event) => {
              event.stopPropagation();
              props.onToggle();
            }}
          >
            <Chevron size={14} />
          </button>
        ) : (
          <span className={classes.leaf} />
        )}
        {!span.missing && <Swatch name={operation.service} look={look} />}
        <KindIcon kind={operation.type} />
        <span className="clip" data-strong={operation.entry || undefined} data-missing={span.missing || undefined}>
          {span.missing ? t('trace.missing_span', { id: span.span_id }) : operation.name}
        </span>
        <span className={operation.entry ? `clip ${classes.owner}` : 'offscreen'}>{operation.service}</span>
        {collapsed && <span className={classes.hidden}>{`+${count(below)}`}</span>}
        <Marks model={model} span={i} />
        {facts?.map((fact) => (
          <span key={fact.id} className={classes.fact}>
            {fact.id}
          </span>
        ))}
      </div>
      <Lane {...props} />
    </div>
  );
}

/** What is worth noticing about a span, beside its name. */
function Marks({ model, span: i }: { model: Model; span: number }) {
  const { t } = useTranslation();
  const span = model.spans[i];
  const repeats = model.repeats.get(i);
  const times = repeats?.reduce((sum, r) => sum + r.count, 0) ?? 0;
  return (
    <>
      {repeats && (
        <span className={classes.repeats} title={t('trace.repeats_title')}>
          {t(repeats.some((r) => r.n_plus_one) ? 'trace.n_plus_one' : 'trace.repeated', { times: count(times) })}
        </span>
      )}
      {span?.linked && <IconLink size={13} role="img" aria-label={t('trace.linked')} style={{ flex: 'none' }} />}
      {span?.outlives && (
        <span className={classes.outlives} title={t('trace.outlives')}>
          {'↦'}
          <span className="offscreen">{t('trace.outlives')}</span>
        </span>
      )}
      {span?.failed && (
        <IconX
          size={14}
          stroke={2.6}
          color="var(--mx-critical)"
          role="img"
          aria-label={t('trace.error')}
          className={classes.cross}
        />
      )}
    </>
  );
}

function Lane({ model, span: i, look, critical, from, to }: Props) {
  const { t } = useTranslation();
  const span = model.spans[i];
  const operation = operationOf(model, i);
  if (!span) return null;
  const place = (ns: number) => Math.max(0, Math.min(100, ((ns - from) / (to - from)) * 100));
  const left = place(span.start_ns);
  const right = place(span.start_ns + span.duration_ns);
  const inSight = span.start_ns <= to && span.start_ns + span.duration_ns >= from;
  const gaps = model.gaps.get(i) ?? [];
  return (
    <div role="gridcell" className={classes.lane}>
      {inSight && (
        <i
          className={classes.bar}
          data-entry={operation.entry || undefined}
          data-error={span.failed || undefined}
          data-missing={span.missing || undefined}
          style={{ left: `${left}%`, width: `${right - left}%`, '--c': look?.colour } as React.CSSProperties}
          aria-hidden
        />
      )}
      {gaps.map((gap) => {
        const [a, b] = [place(gap.from_ns), place(gap.to_ns)];
        const text = t(gap.network ? 'trace.gap_network' : 'trace.gap', { time: duration(gap.to_ns - gap.from_ns) });
        return (
          b > a && (
            <i
              key={gap.from_ns}
              className={classes.gap}
              title={text}
              role="img"
              aria-label={text}
              style={{ left: `${a}%`, width: `${b - a}%` }}
            />
          )
        );
      })}
      {critical &&
        stretches(model.critical.get(i) ?? [], from, to).map(([a, b]) => (
          <i
            key={a}
            className={classes.critical}
            style={{ left: `${a * 100}%`, width: `${(b - a) * 100}%` }}
            aria-hidden
          />
        ))}
      {inSight && (
        <span className={classes.length} style={{ left: `${right}%` }}>
          {duration(span.duration_ns)}
        </span>
      )}
    </div>
  );
}
