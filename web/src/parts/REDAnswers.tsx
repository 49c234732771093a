import { useTranslation } from 'react-i18next';
import type { RED } from '../api/types.ts';
import { duration } from '../format/duration.ts';
import { count, percent, rate } from '../format/number.ts';
import { Change } from './Change.tsx';
import head from './ObjectHead.module.css';

interface Props {
  of: { now: RED; day_ago: RED | null; week_ago: RED | null };
  children?: React.ReactNode;
}

const time = (ns: number) => duration(ns);

/** Rate, errors and duration in the head of a page, each beside a day and a week ago. */
export function REDAnswers({ of, children }: Props) {
  const { t } = useTranslation();
  const { now } = of;
  const quantiles = ['p50', 'p90', 'p95', 'p99'] as const;
  return (
    <dl className={head.answers}>
      <div>
        <dt>{t('red.rate')}</dt>
        <dd>
          <strong>{rate(now.per_second)}</strong>{' '}
          <span className="dim">{t('red.count', { count: count(now.count) })}</span>
          <div>
            <Change of={of} value={(r) => r.per_second} write={rate} neutral />
          </div>
        </dd>
      </div>
      <div>
        <dt>{t('red.errors')}</dt>
        <dd>
          <strong>{now.count ? percent(now.error_share) : '–'}</strong>{' '}
          <span className="dim">{t('red.count', { count: count(now.errors) })}</span>
          <div>
            <Change of={of} value={(r) => r.error_share} write={percent} />
          </div>
        </dd>
      </div>
      {quantiles.map((q) => (
        <div key={q}>
          <dt>{q}</dt>
          <dd>
            <strong>{now.count ? duration(now[`${q}_ns`]) : '–'}</strong>
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
