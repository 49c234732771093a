import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { comparisonQuery } from '../../api/traces.ts';
import type { ComparedStep, Transaction } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, ratio } from '../../format/number.ts';
import { rowKeys } from '../../parts/rowKeys.ts';
import { KindIcon } from './KindIcon.tsx';
import classes from './Lists.module.css';

const SHOWN = 8;

interface Props {
  project: number;
  traceId: string;
  transaction: Transaction;
  onSelect: (span: string) => void;
}

/** What this transaction spent on each statement and call, against what is usual for its endpoint. */
export function Usual({ project, traceId, transaction, onSelect }: Props) {
  const { t } = useTranslation();
  const { data } = useQuery(comparisonQuery(project, traceId, transaction.span_id));
  if (!data) return null;
  if (data.count === 0) return <p className={`dim ${classes.usual}`}>{t('trace.usual_unknown')}</p>;
  return (
    <section aria-label={t('trace.usual')}>
      <p className={classes.usual}>
        {t('trace.usual_summary', {
          elapsed: duration(data.elapsed_ns),
          p50: duration(data.p50_ns),
          p95: duration(data.p95_ns),
          count: count(data.count),
        })}
        <Link
          to="/projects/$project/transactions"
          params={{ project: String(project) }}
          search={{ service: transaction.service, endpoint: transaction.endpoint, sort: 'slowest' }}
        >
          {t('trace.usual_list')}
        </Link>
      </p>
      <div className={classes.scroll}>
        <table className="table">
          <thead>
            <tr>
              <th>{t('trace.step')}</th>
              <th className="num">{t('trace.now')}</th>
              <th className="num">{t('trace.usually')}</th>
              <th className="num">{t('trace.difference')}</th>
            </tr>
          </thead>
          <tbody onKeyDown={rowKeys}>
            {data.steps.slice(0, SHOWN).map((step) => (
              <tr key={`${step.kind}-${step.name}-${step.hash}`} className={step.span_id ? 'link' : undefined}>
                <td className={classes.main}>
                  <div className="row">
                    <KindIcon kind={step.kind} />
                    <Name step={step} onSelect={onSelect} />
                  </div>
                </td>
                <td className="num">{t('trace.spent', { time: duration(step.total_ns), times: count(step.count) })}</td>
                <td className="num">
                  {t('trace.spent', { time: duration(step.usual_ns), times: Number(step.usual_count.toFixed(1)) })}
                </td>
                <td className={`num ${noticeable(step, transaction) ? classes.slower : ''}`}>
                  {`${step.excess_ns > 0 ? '+' : ''}${duration(step.excess_ns)}`}
                  {step.usual_ns > 0 &&
                    step.total_ns > 1.05 * step.usual_ns &&
                    ` · ${ratio(step.total_ns / step.usual_ns)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

const noticeable = (step: ComparedStep, transaction: Transaction) => step.excess_ns > 0.05 * transaction.elapsed_ns;

function Name({ step, onSelect }: { step: ComparedStep; onSelect: (span: string) => void }) {
  const { t } = useTranslation();
  const name = step.name || t('trace.own_code');
  if (!step.span_id) return <span>{name}</span>;
  return (
    <button type="button" className={`row-link ${classes.link}`} onClick={() => onSelect(step.span_id)}>
      {name}
    </button>
  );
}
