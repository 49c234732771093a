import {
  IconAlertTriangle,
  IconClockPause,
  IconClockQuestion,
  IconGhost2,
  IconRepeat,
  IconTrendingUp,
  IconX,
} from '@tabler/icons-react';
import { type ComponentType, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ComparedStep, Comparison } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, ratio } from '../../format/number.ts';
import classes from './Findings.module.css';
import type { Look } from './look.ts';
import { type Model, operationOf } from './model.ts';

interface Props {
  model: Model;
  services: Map<string, Look>;
  comparison?: Comparison;
  onSelect: (span: number) => void;
}

interface Finding {
  key: string;
  icon: ComponentType<{ size: number; 'aria-hidden': boolean }>;
  bad?: boolean;
  text: string;
  span: number;
}

const SHOWN = 4;
const OF_EACH = 3;

/** What this trace shows before anybody has looked at a span: where the time went, and what is wrong. */
export function Findings({ model, services, comparison, onSelect }: Props) {
  const [open, setOpen] = useState(false);
  const { t } = useTranslation();
  const findings = useFindings(model, comparison);
  const shown = open ? findings : findings.slice(0, SHOWN);
  return (
    <section className={`panel ${classes.findings}`} aria-label={t('trace.findings')}>
      <Path model={model} services={services} onSelect={onSelect} />
      {shown.length > 0 && (
        <ul className={classes.list}>
          {shown.map(({ key, icon: Icon, bad, text, span }) => (
            <li key={key}>
              <button type="button" onClick={() => onSelect(span)} data-bad={bad || undefined}>
                <Icon size={15} aria-hidden />
                <span>{text}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {findings.length > SHOWN && (
        <button type="button" className={classes.more} aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? t('trace.less') : t('trace.more', { more: findings.length - SHOWN })}
        </button>
      )}
    </section>
  );
}

/** The critical path by what it waited for, most first. */
function Path({ model, services, onSelect }: Omit<Props, 'comparison'>) {
  const { t } = useTranslation();
  const { shares, operations, critical_path } = model.outline;
  const total = critical_path.reduce((sum, part) => sum + part.to_ns - part.from_ns, 0);
  if (total === 0) return null;
  return (
    <div className={classes.path}>
      <h2>{t('trace.critical_path')}</h2>
      <div className={classes.shares}>
        {shares.map(({ operation: at, spans, total_ns, longest }) => {
          const operation = operations[at];
          const share = total_ns / total;
          if (share < 0.005) return null;
          const times = spans > 1 ? ` ${count(spans)}×` : '';
          const name = operation?.name || t('trace.kind.missing');
          const text = `${name}${times} · ${operation?.service ?? ''} · ${duration(total_ns)} · ${percent(share)}`;
          return (
            <button
              key={at}
              type="button"
              title={text}
              aria-label={text}
              style={
                {
                  flexGrow: share,
                  '--c': services.get(operation?.service ?? '')?.colour,
                } as React.CSSProperties
              }
              onClick={() => onSelect(longest)}
            >
              <span className="clip">
                <b>{percent(share)}</b> {name}
                {times}
              </span>
            </button>
          );
        })}
      </div>
    </div>
  );
}

function useFindings(model: Model, comparison?: Comparison): Finding[] {
  const { t } = useTranslation();
  const { outline } = model;
  const name = (span: number) => operationOf(model, span).name || t('trace.kind.missing');
  const findings: Finding[] = [];
  for (const f of outline.failures.filter((f) => f.origin).slice(0, OF_EACH)) {
    const what = [f.type, f.message].filter(Boolean).join(': ');
    findings.push({
      key: `failure-${f.span}`,
      icon: IconX,
      bad: true,
      span: f.span,
      text: what
        ? t('trace.finding.failed_with', { name: name(f.span), what })
        : t('trace.finding.failed', { name: name(f.span) }),
    });
  }
  for (const s of slower(comparison)) {
    findings.push({
      key: `slower-${s.name}-${s.hash}`,
      icon: IconTrendingUp,
      bad: true,
      span: model.place.get(s.span_id) ?? 0,
      text: t(s.usual_ns > 0 ? 'trace.finding.slower' : 'trace.finding.unusual', {
        name: s.name || t('trace.own_code'),
        time: duration(s.total_ns),
        usual: duration(s.usual_ns),
        ratio: ratio(s.total_ns / Math.max(1, s.usual_ns)),
      }),
    });
  }
  for (const [n, r] of outline.repeats.slice(0, OF_EACH).entries()) {
    findings.push({
      key: `repeat-${n}`,
      icon: IconRepeat,
      span: r.first,
      text: t(r.n_plus_one ? 'trace.finding.n_plus_one' : 'trace.finding.repeated', {
        name: outline.operations[r.operation]?.name ?? '',
        times: count(r.count),
        parent: name(r.parent),
        time: duration(r.covered_ns),
      }),
    });
  }
  for (const gap of outline.gaps.slice(0, OF_EACH)) {
    findings.push({
      key: `gap-${gap.span}-${gap.from_ns}`,
      icon: IconClockPause,
      span: gap.span,
      text: t(gap.network ? 'trace.finding.network' : 'trace.finding.gap', {
        name: name(gap.span),
        time: duration(gap.to_ns - gap.from_ns),
      }),
    });
  }
  for (const skew of outline.skews.slice(0, OF_EACH)) {
    findings.push({
      key: `skew-${skew.span}`,
      icon: IconClockQuestion,
      span: skew.span,
      text: t(skew.shift_ns > 0 ? 'trace.finding.behind' : 'trace.finding.ahead', {
        instance: skew.instance || skew.service,
        parent: skew.parent_instance || skew.parent_service,
        time: duration(Math.abs(skew.shift_ns)),
      }),
    });
  }
  if (outline.missing > 0) {
    findings.push({
      key: 'missing',
      icon: IconGhost2,
      span: model.spans.findIndex((s) => s.missing),
      text: t('trace.finding.missing', { missing: count(outline.missing) }),
    });
  }
  if (outline.roots > 1) {
    findings.push({
      key: 'roots',
      icon: IconAlertTriangle,
      span: model.spans.findLastIndex((s) => s.parent < 0),
      text: t('trace.finding.roots', { roots: count(outline.roots) }),
    });
  }
  return findings;
}

const NOTICEABLE = 0.05; // of the transaction

/** What took noticeably longer than it usually does, the most time lost first. */
function slower(comparison: Comparison | undefined): ComparedStep[] {
  if (!comparison?.count) return [];
  const least = NOTICEABLE * comparison.elapsed_ns;
  return comparison.steps.filter((s) => s.excess_ns > least && s.total_ns > 1.5 * s.usual_ns).slice(0, 2);
}
