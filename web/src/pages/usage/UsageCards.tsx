import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Used } from '../../api/types.ts';
import { durationMs as ms } from '../../format/duration.ts';
import { count, dollars, percent } from '../../format/number.ts';
import { Times } from '../../parts/Change.tsx';
import { PricesLink } from './PricesLink.tsx';
import classes from './Usage.module.css';
import { timesOf, tokensOf, unpricedShare } from './usage.ts';

/** What was used in all, beside the time before. */
export function UsageCards({ now, before }: { now: Used; before: Used | null }) {
  const { t } = useTranslation();
  const compared = before && before.calls > 0 ? before : undefined;
  const unknown = t('usage.unknown');
  const money = (usd: number | null) => dollars(usd) ?? unknown;
  const cards = [
    { name: 'requests', of: (u: Used) => u.calls, write: count, neutral: true, second: '' },
    {
      name: 'tokens',
      of: tokensOf,
      write: count,
      neutral: true,
      second: t('usage.in_out', { input: count(now.input_tokens), output: count(now.output_tokens) }),
    },
    { name: 'cost', of: (u: Used) => u.cost_usd, write: money, neutral: false, second: '' },
    {
      name: 'errors',
      of: (u: Used) => u.failed,
      write: count,
      neutral: false,
      second: t('usage.error_share', { share: percent(now.calls === 0 ? 0 : now.failed / now.calls) }),
    },
    {
      name: 'latency',
      of: (u: Used) => u.latency_p95_ms,
      write: ms,
      neutral: false,
      second: t('usage.latency_average', { value: ms(now.latency_avg_ms) }),
    },
  ] as const;
  return (
    <>
      <dl className={classes.cards}>
        {cards.map(({ name, of, write, neutral, second }) => {
          const value = of(now);
          const then = compared && of(compared);
          const times = timesOf(value, then);
          const written = write as (value: number | null) => string;
          return (
            <div key={name} className="panel">
              <dt>{t(`usage.${name}`)}</dt>
              <dd>
                <div className={classes.figure}>
                  <span>{written(value)}</span>
                  {times !== undefined && (
                    <span className={classes.change}>
                      <Times
                        times={times}
                        title={t('usage.then', { value: written(then ?? null) })}
                        neutral={neutral}
                      />
                    </span>
                  )}
                </div>
                <div className={classes.second}>{second}</div>
              </dd>
            </div>
          );
        })}
      </dl>
      {!compared && <p className="note">{t('usage.before_nothing')}</p>}
      {now.unpriced > 0 && (
        <p className="note">
          <IconAlertTriangle size={16} aria-hidden />
          {t('usage.unpriced', { requests: count(now.unpriced), share: percent(unpricedShare(now)) })} <PricesLink />
        </p>
      )}
    </>
  );
}
