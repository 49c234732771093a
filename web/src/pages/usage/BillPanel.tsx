import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { billQuery, type UsageFilter } from '../../api/usage.ts';
import { dollars, percent } from '../../format/number.ts';
import { Failure } from '../../parts/Failure.tsx';
import { PricesLink } from './PricesLink.tsx';
import classes from './Usage.module.css';
import { billed, methodOf } from './usage.ts';

/** What the month will cost, with how sure that is and what it leaves out. */
export function BillPanel({ base, filter }: { base: string; filter: UsageFilter }) {
  const { t } = useTranslation();
  const { data: bill, error, refetch } = useQuery(billQuery(base, filter));
  if (error && !bill) return <Failure error={error} retry={() => void refetch()} />;
  if (!bill) return <Skeleton height={92} mb={12} aria-busy />;
  const cost = billed(bill);
  const guessed = bill.method !== 'none';
  return (
    <section className={`panel ${classes.bill}`} aria-labelledby="usage-bill">
      <h2 id="usage-bill">{t('usage.bill')}</h2>
      <div className={classes.figure}>{dollars(cost) ?? t('usage.unknown')}</div>
      {cost !== undefined && (
        <>
          <p className="soft">
            {t('usage.spent', { value: dollars(bill.spent) })}
            {guessed && ` · ${t('usage.range', { low: dollars(bill.low), high: dollars(bill.high) })}`}
          </p>
          <p className={classes.second}>
            {t(`usage.method.${methodOf(bill)}`, { count: bill.days })} {t('usage.month_utc')}
          </p>
        </>
      )}
      {bill.unpriced > 0 && (
        <p className={classes.second}>
          {t('usage.bill_unpriced', { share: percent(bill.unpriced_share) })} <PricesLink />
        </p>
      )}
    </section>
  );
}
