import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { RED } from '../api/types.ts';
import { duration } from '../format/duration.ts';
import { count, percent, rate } from '../format/number.ts';
import { useProjectId } from '../frame/useProject.ts';
import { Change } from './Change.tsx';
import head from './ObjectHead.module.css';

interface Props {
  of: { now: RED; day_ago: RED | null; week_ago: RED | null };
  /** Which transactions the numbers count, where they are transactions. */
  transactions?: { service: string; q?: string };
  children?: React.ReactNode;
}

/** Rate, errors and duration in the head of a page, each beside a day and a week ago. */
export function REDAnswers({ of, transactions, children }: Props) {
  const { t, i18n } = useTranslation();
  const project = String(useProjectId());
  const time = (ns: number) => duration(ns, i18n.language);
  const { now } = of;
  const quantiles = ['p50', 'p90', 'p95', 'p99'] as const;
  return (
    <dl className={head.answers}>
      <div>
        <dt>{t('red.rate')}</dt>
        <dd>
          <strong>{rate(now.per_second)}</strong>{' '}
          {transactions && now.count > 0 ? (
            <Link to="/projects/$project/transactions" params={{ project }} search={transactions}>
              {t('red.count', { count: count(now.count) })}
            </Link>
          ) : (
            <span className="dim">{t('red.count', { count: count(now.count) })}</span>
          )}
          <div>
            <Change of={of} value={(r) => r.per_second} write={rate} neutral />
          </div>
        </dd>
      </div>
      <div>
        <dt>{t('red.errors')}</dt>
        <dd>
          <strong>{now.count ? percent(now.error_share) : '–'}</strong>{' '}
          {transactions && now.errors > 0 ? (
            <Link to="/projects/$project/transactions" params={{ project }} search={{ ...transactions, errors: true }}>
              {t('red.count', { count: count(now.errors) })}
            </Link>
          ) : (
            <span className="dim">{t('red.count', { count: count(now.errors) })}</span>
          )}
          <div>
            <Change of={of} value={(r) => r.error_share} write={percent} />
          </div>
        </dd>
      </div>
      {quantiles.map((q) => (
        <div key={q}>
          <dt>{q}</dt>
          <dd>
            <strong>{now.count ? time(now[`${q}_ns`]) : '–'}</strong>
            <div>
              <Change of={of} value={(r) => r[`${q}_ns`]} write={time} />
            </div>
          </dd>
        </div>
      ))}
      {children}
    </dl>
  );
}
