import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Bucket, Series } from '../api/types.ts';
import { Chart, type Line } from './chart/Chart.tsx';
import { grid, onGrid } from './chart/grid.ts';

interface Props {
  /** What the series covers. */
  span: { from: string; to: string };
  series: Series;
}

/** Rate, errors and duration over time, with a week before behind them. */
export function REDCharts({ span, series }: Props) {
  const { t } = useTranslation();
  const drawn = useMemo(() => {
    const g = grid(span.from, span.to, series.step);
    const now = (value: (b: Bucket) => number) => onGrid(g, series.now, value);
    const past = (label: string, value: (b: Bucket) => number, tone: string): Line[] =>
      series.week_ago.length === 0 ? [] : [{ label, values: onGrid(g, series.week_ago, value), tone, past: true }];
    const week = t('red.week_ago');
    return {
      at: g.at,
      rate: [
        { label: t('red.rate'), values: now((b) => b.per_second), tone: 's6', fill: true },
        ...past(week, (b) => b.per_second, 's8'),
      ],
      errors: [
        { label: t('red.errors'), values: now((b) => b.error_share), tone: 'critical', fill: true },
        ...past(week, (b) => b.error_share, 's8'),
      ],
      duration: [
        { label: 'p99', values: now((b) => b.p99_ns), tone: 's3' },
        { label: 'p95', values: now((b) => b.p95_ns), tone: 's1' },
        { label: 'p50', values: now((b) => b.p50_ns), tone: 's2' },
        ...past(t('red.p95_week_ago'), (b) => b.p95_ns, 's8'),
      ],
    };
  }, [span, series, t]);
  return (
    <>
      <Chart title={t('red.duration')} unit="duration" at={drawn.at} lines={drawn.duration} />
      <Chart title={t('red.rate')} unit="rate" at={drawn.at} lines={drawn.rate} />
      <Chart title={t('red.errors')} unit="share" at={drawn.at} lines={drawn.errors} />
    </>
  );
}
