import { useQueries } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { promInstantQuery } from '../../api/metrics.ts';
import type { Following } from '../../api/pages.ts';
import { count } from '../../format/number.ts';
import { type Unit, written } from '../../parts/chart/Chart.tsx';
import { seriesName } from '../../parts/metric/series.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';

interface Props {
  project: number;
  queries: { letter: string; text: string }[];
  following: Following;
  unit: Unit;
}

/** Rows shown: the chart above says how to narrow. */
const ROWS = 200;

/** The values of the queries at the end of the range, the largest first. */
export function Values({ project, queries, following, unit }: Props) {
  const { t } = useTranslation();
  const results = useQueries({ queries: queries.map(({ text }) => promInstantQuery(project, text, following)) });
  const rows = queries
    .flatMap(({ letter }, i) =>
      (results[i]?.data ?? []).map((series) => ({
        letter,
        name: seriesName(series.metric),
        value: series.value && Number(series.value[1].replace('Inf', 'Infinity')),
      })),
    )
    .sort((a, b) => (b.value ?? Number.NEGATIVE_INFINITY) - (a.value ?? Number.NEGATIVE_INFINITY));
  const pending = results.some((r) => r.isPending);
  if (!pending && rows.length === 0) return null;
  return (
    <section className="panel" aria-busy={pending}>
      <div className="scroll-x">
        <table className="table">
          <caption className="offscreen">{t('metrics.values')}</caption>
          <thead>
            <tr>
              {queries.length > 1 && <th>{t('metrics.column.query')}</th>}
              <th>{t('metrics.column.series')}</th>
              <th className="num">{t('metrics.column.value')}</th>
            </tr>
          </thead>
          <tbody>
            {pending ? (
              <SkeletonRows rows={4} columns={queries.length > 1 ? 3 : 2} />
            ) : (
              rows.slice(0, ROWS).map(({ letter, name, value }) => (
                <tr key={`${letter} ${name}`}>
                  {queries.length > 1 && <td>{letter}</td>}
                  <td>
                    <code>{name}</code>
                  </td>
                  <td className="num" title={value === undefined ? undefined : String(value)}>
                    {value === undefined
                      ? t('metrics.histogram')
                      : Number.isFinite(value)
                        ? written(unit, value)
                        : value}
                  </td>
                </tr>
              ))
            )}
          </tbody>
        </table>
      </div>
      <div className="foot">
        <span>{t('list.shown', { shown: count(Math.min(rows.length, ROWS)), total: count(rows.length) })}</span>
      </div>
    </section>
  );
}
