import { Skeleton } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { logLinesQuery, transactionCountQuery } from '../../api/dashboards.ts';
import { logHistogramQuery } from '../../api/logs.ts';
import { metadataQuery, promInstantQuery, promRangeQuery, sentAs } from '../../api/metrics.ts';
import type { Following } from '../../api/pages.ts';
import { asProblem } from '../../api/problem.ts';
import { serviceQuery } from '../../api/services.ts';
import { statementsQuery } from '../../api/statements.ts';
import type { DashboardPanel } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { precise } from '../../format/time.ts';
import { Chart, type Unit, written } from '../../parts/chart/Chart.tsx';
import { unitOf } from '../../parts/metric/promql.ts';
import { QueryFault } from '../../parts/metric/QueryFault.tsx';
import { legendOf, linesOf } from '../../parts/metric/series.ts';
import { REDCharts } from '../../parts/REDCharts.tsx';
import classes from './Dashboard.module.css';
import { type Chosen, fillPromQL, fillSearch, fillText } from './variables.ts';

/** The height of a panel's body by its step, in pixels. */
export const HEIGHTS = [0, 96, 236, 420];

interface Props {
  project: number;
  panel: DashboardPanel;
  chosen: Chosen;
  following: Following;
}

/** What a panel asks for, in all states. */
export function PanelView(props: Props) {
  switch (props.panel.kind) {
    case 'metric':
      return props.panel.show === 'lines' || !props.panel.show ? <Lines {...props} /> : <Instant {...props} />;
    case 'traces':
      return props.panel.show === 'count' ? <TransactionCount {...props} /> : <ServiceRED {...props} />;
    case 'logs':
      return props.panel.show === 'lines' ? <LogLines {...props} /> : <LogCount {...props} />;
    case 'sql':
      return <TopStatements {...props} />;
    case 'text':
      return <div className={classes.text}>{fillText(props.panel.text ?? '', props.chosen)}</div>;
  }
}

/** Says what went wrong in little room. */
function Wrong({ error }: { error: unknown }) {
  const { t } = useTranslation();
  const problem = asProblem(error);
  return (
    <p className={classes.wrong} role="alert">
      {t(`problem.${problem.reason}.what`)} <span className="soft">{problem.detail}</span>
    </p>
  );
}

function Nothing() {
  const { t } = useTranslation();
  return <p className="dim">{t('dashboard.nothing')}</p>;
}

function useUnit(project: number, panel: DashboardPanel): Unit {
  const { data: said } = useQuery({ ...metadataQuery(project), enabled: !panel.unit });
  return panel.unit || unitOf(panel.queries?.[0]?.expr ?? '', (metric) => said?.[metric]?.[0]?.unit);
}

function Lines({ project, panel, chosen, following }: Props) {
  const { t } = useTranslation();
  const queries = (panel.queries ?? []).map((q) => ({ ...q, expr: fillPromQL(q.expr, chosen) }));
  const results = useQueries({ queries: queries.map((q) => promRangeQuery(project, q.expr, following)) });
  const unit = useUnit(project, panel);
  const key = queries.map((q) => q.legend).join() + results.map((r) => r.dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the answers
  const drawn = useMemo(
    () => linesOf(results.flatMap(({ data }, i) => (data ? [{ legend: queries[i]?.legend, answer: data }] : []))),
    [key],
  );
  const wrong = results.findIndex((r) => r.isError);
  if (wrong >= 0 && !results[wrong]?.data)
    return <QueryFault query={sentAs(queries[wrong]?.expr ?? '', following)} error={results[wrong]?.error} />;
  if (results.some((r) => r.isPending)) return <Skeleton height={HEIGHTS[panel.height]} />;
  if (drawn.lines.length === 0) return <Nothing />;
  return (
    <>
      <Chart
        title={panel.title || (queries[0]?.expr ?? '')}
        unit={unit}
        at={drawn.at}
        lines={drawn.lines}
        height={Math.max((HEIGHTS[panel.height] ?? 0) - 40, 70)}
      />
      {drawn.total > drawn.lines.length && (
        <p className="dim">{t('dashboard.capped', { total: count(drawn.total), shown: drawn.lines.length })}</p>
      )}
    </>
  );
}

function Instant({ project, panel, chosen, following }: Props) {
  const queries = (panel.queries ?? []).map((q) => ({ ...q, expr: fillPromQL(q.expr, chosen) }));
  const results = useQueries({ queries: queries.map((q) => promInstantQuery(project, q.expr, following)) });
  const unit = useUnit(project, panel);
  const wrong = results.findIndex((r) => r.isError);
  if (wrong >= 0 && !results[wrong]?.data)
    return <QueryFault query={sentAs(queries[wrong]?.expr ?? '', following)} error={results[wrong]?.error} />;
  if (results.some((r) => r.isPending)) return <Skeleton height={HEIGHTS[panel.height]} />;
  const rows = results.flatMap(({ data = [] }, i) =>
    data.flatMap(({ metric, value }) => {
      const n = Number(value?.[1]);
      const name = legendOf(metric, queries[i]?.legend, new Set(), queries[i]?.expr ?? '');
      return value ? [{ name, n, text: Number.isFinite(n) ? written(unit, n) : value[1] }] : [];
    }),
  );
  rows.sort((a, b) => b.n - a.n);
  if (rows.length === 0) return <Nothing />;
  if (panel.show === 'stat')
    return (
      <dl className={classes.stats}>
        {rows.slice(0, 6).map(({ name, text }) => (
          <div key={name}>
            <dd>{text}</dd>
            {rows.length > 1 && <dt>{name}</dt>}
          </div>
        ))}
      </dl>
    );
  return (
    <table className="table">
      <tbody>
        {rows.slice(0, 100).map(({ name, text }) => (
          <tr key={name}>
            <td>{name}</td>
            <td className="num">{text}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function ServiceRED({ project, panel, chosen, following }: Props) {
  const service = fillText(panel.service ?? '', chosen);
  const environment = fillText(panel.environment ?? '', chosen) || undefined;
  const { data, error } = useQuery({
    ...serviceQuery(project, service, environment, following),
    enabled: service !== '',
  });
  const span = useMemo(() => ({ from: data?.from ?? '', to: data?.to ?? '' }), [data?.from, data?.to]);
  if (error && !data) return <Wrong error={error} />;
  if (service === '') return <Nothing />;
  if (!data) return <Skeleton height={HEIGHTS[panel.height]} />;
  return (
    <div className={classes.red}>
      <REDCharts span={span} series={data.series} />
    </div>
  );
}

function TransactionCount({ project, panel, chosen, following }: Props) {
  const { t } = useTranslation();
  const q = fillSearch(panel.search ?? '', chosen);
  const { data, error } = useQuery(transactionCountQuery(project, q, following));
  if (error && !data) return <Wrong error={error} />;
  if (!data) return <Skeleton height={HEIGHTS[panel.height]} />;
  return (
    <dl className={classes.stats}>
      <div>
        <dd>
          <Link
            to="/projects/$project/transactions"
            params={{ project: String(project) }}
            search={{ q: q || undefined }}
          >
            {count(data.total)}
          </Link>
        </dd>
        <dt>{t('dashboard.transactions')}</dt>
      </div>
      <div>
        <dd>{count(data.errors)}</dd>
        <dt>{t('dashboard.failed')}</dt>
      </div>
      <div>
        <dd>{duration(data.longest_ns)}</dd>
        <dt>{t('dashboard.longest')}</dt>
      </div>
    </dl>
  );
}

const TONES: Record<string, string> = {
  fatal: 'critical',
  error: 'critical',
  warn: 'warning',
  info: 's6',
  debug: 's8',
};

function LogCount({ project, panel, chosen, following }: Props) {
  const { data, error } = useQuery(
    logHistogramQuery(project, { q: fillSearch(panel.search ?? '', chosen) }, following),
  );
  const drawn = useMemo(() => {
    const first = Date.parse(data?.from ?? '') / 1000;
    const at = (data?.levels[0]?.counts ?? []).map((_, i) => first + i * (data?.step_seconds ?? 0));
    const lines = (data?.levels ?? []).map(({ level, counts }) => ({
      label: level,
      values: counts,
      tone: TONES[level] ?? 's8',
      dashed: level === 'fatal' || level === 'trace',
    }));
    return { at, lines };
  }, [data]);
  if (error && !data) return <Wrong error={error} />;
  if (!data) return <Skeleton height={HEIGHTS[panel.height]} />;
  if (drawn.lines.length === 0) return <Nothing />;
  return (
    <Chart title={panel.title ?? ''} unit="count" {...drawn} height={Math.max((HEIGHTS[panel.height] ?? 0) - 40, 70)} />
  );
}

function LogLines({ project, panel, chosen, following }: Props) {
  const { data, error } = useQuery(logLinesQuery(project, fillSearch(panel.search ?? '', chosen), following));
  if (error && !data) return <Wrong error={error} />;
  if (!data) return <Skeleton height={HEIGHTS[panel.height]} />;
  if (data.items.length === 0) return <Nothing />;
  return (
    <ol className={classes.lines}>
      {data.items.map((line) => (
        <li key={line.id}>
          <span className="dim">{precise(line.time).slice(11)}</span> <b>{line.level}</b>{' '}
          <span className="soft">{line.service}</span> {line.body}
        </li>
      ))}
    </ol>
  );
}

function TopStatements({ project, panel, chosen, following }: Props) {
  const { t } = useTranslation();
  const service = fillText(panel.service ?? '', chosen) || undefined;
  const q = fillSearch(panel.search ?? '', chosen) || undefined;
  const { data, error } = useQuery(statementsQuery(project, { service, q, sort: 'time' }, following));
  if (error && !data) return <Wrong error={error} />;
  if (!data) return <Skeleton height={HEIGHTS[panel.height]} />;
  if (data.items.length === 0) return <Nothing />;
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('sql.column.statement')}</th>
          <th className="num">{t('sql.column.share')}</th>
          <th className="num">{t('dashboard.calls')}</th>
          <th className="num">{'p95'}</th>
        </tr>
      </thead>
      <tbody>
        {data.items.slice(0, 20).map(({ hash, text, share, now }) => (
          <tr key={hash}>
            <td className={classes.statement}>
              <Link to="/projects/$project/sql/$hash" params={{ project: String(project), hash }} title={text}>
                <code>{text}</code>
              </Link>
            </td>
            <td className="num">{percent(share)}</td>
            <td className="num">{rate(now.per_second)}</td>
            <td className="num">{duration(now.p95_ns)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
