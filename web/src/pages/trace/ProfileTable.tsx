import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { profileQuery } from '../../api/traces.ts';
import type { Fact, Step } from '../../api/types.ts';
import { duration, exactMs } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { KindIcon } from './KindIcon.tsx';
import classes from './Profile.module.css';
import { Usual } from './Usual.tsx';

interface Props {
  traceId: string;
  project: number;
  cited: Map<string, Fact[]>;
  selected?: string;
  onSelect: (span: string) => void;
}

/** The transaction the selected span belongs to, step by step, numbered as the reports cite it. */
export function ProfileTable({ traceId, project, cited, selected, onSelect }: Props) {
  const { t } = useTranslation();
  // The question is for the transaction, not for the span: walking through its steps must not ask anew.
  const asked = useRef(selected ?? '');
  const { data, error, refetch } = useQuery(profileQuery(project, traceId, asked.current));
  const inside = data?.steps.some((s) => s.span_id === selected);
  if (data && selected && !inside) asked.current = selected;
  if (error && !data) {
    return (
      <section>
        <Failure error={error} retry={() => void refetch()} />
      </section>
    );
  }
  const total = Math.max(1, data?.transaction.elapsed_ns ?? 1);
  return (
    <section aria-label={t('trace.profile')} aria-busy={!data}>
      {data && (
        <p className={classes.transaction}>
          <strong>{data.transaction.endpoint}</strong>
          <span className="soft">
            {[data.transaction.service, data.transaction.instance].filter(Boolean).join(' · ')}
          </span>
          <Link
            to="/projects/$project/services/$service"
            params={{ project: String(project), service: data.transaction.service }}
            search={{ tab: 'profiles', endpoint: data.transaction.endpoint, ...halfHourAround(data.transaction.start) }}
          >
            {t('profiles.of_endpoint')}
          </Link>
          <span>
            {t('profile.summary', {
              elapsed: duration(data.transaction.elapsed_ns),
              sql: duration(data.transaction.sql_ns),
              statements: count(data.transaction.sql_count),
              calls: count(data.transaction.call_count),
            })}
          </span>
        </p>
      )}
      {data && <Usual project={project} traceId={traceId} transaction={data.transaction} onSelect={onSelect} />}
      <div className="scroll-x">
        <table className={`table ${classes.table}`}>
          <thead>
            <tr>
              <th className="num">{t('profile.index')}</th>
              <th>{t('profile.step')}</th>
              <th className="num">{t('profile.offset')}</th>
              <th className="num">{t('profile.gap')}</th>
              <th className="num">{t('profile.elapsed')}</th>
              <th className="num">{t('profile.self')}</th>
              <th className={classes.shareHead}>{t('profile.share')}</th>
            </tr>
          </thead>
          <tbody onKeyDown={rowKeys}>
            {data ? (
              data.steps.map((step) => (
                <StepRow
                  key={step.index}
                  step={step}
                  total={total}
                  facts={cited.get(step.span_id)}
                  selected={step.span_id === selected && step.kind !== 'exception'}
                  onSelect={onSelect}
                />
              ))
            ) : (
              <SkeletonRows rows={12} columns={7} />
            )}
          </tbody>
        </table>
      </div>
      {data?.truncated && <p className={classes.transaction}>{t('trace.profile_truncated')}</p>}
    </section>
  );
}

const halfHourAround = (moment: string) => ({
  from: new Date(Date.parse(moment) - 1_800_000).toISOString(),
  to: new Date(Date.parse(moment) + 1_800_000).toISOString(),
});

interface RowProps {
  step: Step;
  total: number;
  facts?: Fact[];
  selected: boolean;
  onSelect: (span: string) => void;
}

function StepRow({ step, total, facts, selected, onSelect }: RowProps) {
  const { t } = useTranslation();
  const ref = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (selected) ref.current?.scrollIntoView({ block: 'nearest' });
  }, [selected]);
  const share = step.elapsed_ns / total;
  return (
    <tr
      ref={ref}
      className="link"
      aria-selected={selected}
      data-cited={facts ? true : undefined}
      id={`step-${step.index}`}
    >
      <td className={`num ${classes.index}`}>{step.index}</td>
      <td className={classes.step} style={{ paddingLeft: 12 + Math.min(step.depth, 16) * 14 }}>
        <div className="row">
          <KindIcon kind={step.kind} />
          <button type="button" className={`row-link ${classes.link}`} onClick={() => onSelect(step.span_id)}>
            {stepTitle(step)}
          </button>
          {step.error && (
            <IconX size={14} stroke={2.6} color="var(--mx-critical)" role="img" aria-label={t('trace.error')} />
          )}
          {facts?.map((fact) => (
            <span key={fact.id} className={classes.fact}>
              {fact.id}
            </span>
          ))}
        </div>
        <Second step={step} />
      </td>
      <td className="num">{exactMs(step.offset_ns)}</td>
      <td className="num dim">{step.gap_ns > 0 && exactMs(step.gap_ns)}</td>
      <td className="num">
        <strong>{exactMs(step.elapsed_ns)}</strong>
      </td>
      <td className="num">{exactMs(step.self_ns)}</td>
      <td>
        <div className={classes.share} title={percent(share)}>
          <i
            data-kind={step.kind}
            style={{
              left: `${Math.min(100, (step.offset_ns / total) * 100)}%`,
              width: `${Math.min(100, share * 100)}%`,
            }}
          />
        </div>
      </td>
    </tr>
  );
}

function stepTitle(step: Step): string {
  if (step.kind === 'sql' && step.statement) {
    return [step.statement.operation, step.statement.tables?.join(', ')].filter(Boolean).join(' ') || step.name;
  }
  if (step.kind === 'exception' && step.exception) return step.exception.type;
  if (step.kind === 'call') return [step.method, step.rpc || step.address].filter(Boolean).join(' ') || step.name;
  return step.name;
}

/** The second line of a step: the statement, the message, or where in the program it is. */
function Second({ step }: { step: Step }) {
  const text = step.statement?.text || (step.kind === 'exception' ? step.exception?.message : step.code || step.url);
  if (!text) return null;
  return <code className={`clip ${classes.second}`}>{text}</code>;
}
