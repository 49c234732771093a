import { Button, Select, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconDownload, IconReceipt } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../api/session.ts';
import type { UsageReport, Used } from '../../api/types.ts';
import {
  billQuery,
  USAGE_DIMENSIONS,
  USAGE_MEASURES,
  type UsageDimension,
  type UsageMeasure,
  usageQuery,
  usageTable,
} from '../../api/usage.ts';
import { duration } from '../../format/duration.ts';
import { count, dollars, percent } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject } from '../../frame/useProject.ts';
import { Times } from '../../parts/Change.tsx';
import { Chart } from '../../parts/chart/Chart.tsx';
import { Charts } from '../../parts/chart/Charts.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import classes from './Usage.module.css';
import { baseOf, billed, linesOf, scopesOf, timesOf, tokensOf, unpricedShare } from './usage.ts';

/** What was used of models and what it costs, of what the reader may see. */
export function UsagePage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const project = useProject();
  const { data: me } = useSuspenseQuery(meQuery);
  const { of, by = 'model', show = 'cost', ...range } = useSearch({ from: '/home/usage' });
  const scopes = scopesOf(me, project);
  const scope = scopes.find((each) => each === of) ?? scopes[0] ?? 'me';
  const base = baseOf(scope, project);
  const report = useQuery(usageQuery(base, by, { range, pausedAt: usePausedAt() }));
  const set = (next: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true });
  useTitle(t('nav.usage'));
  const names = { project: project?.name, org: project?.org_name, all: undefined, me: undefined };
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.usage')}</h1>
        <Select
          aria-label={t('usage.of')}
          w={220}
          allowDeselect={false}
          data={scopes.map((each) => ({ value: each, label: t(`usage.scope.${each}`, { name: names[each] }) }))}
          value={scope}
          onChange={(next) => set({ of: next ?? undefined })}
        />
        <Select
          aria-label={t('usage.by_label')}
          w={140}
          allowDeselect={false}
          data={USAGE_DIMENSIONS.map((each) => ({ value: each, label: t(`usage.by.${each}`) }))}
          value={by}
          onChange={(next) => set({ by: next ?? undefined })}
        />
        {report.data && (
          <Button
            component="a"
            href={usageTable(base, report.data)}
            download
            variant="default"
            leftSection={<IconDownload size={15} />}
          >
            {t('usage.csv')}
          </Button>
        )}
      </div>
      <p className="lead">{t('usage.lead')}</p>
      <BillPanel base={base} />
      <Stale query={report} />
      {report.error && !report.data ? (
        <Failure error={report.error} retry={() => void report.refetch()} />
      ) : !report.data ? (
        <Skeleton height={320} aria-busy />
      ) : report.data.total.calls === 0 ? (
        <section className="panel">
          <Empty icon={IconReceipt} title={t('usage.none')}>
            <p>{t('usage.none_hint')}</p>
          </Empty>
        </section>
      ) : (
        <Shown report={report.data} show={show} onShow={(next) => set({ show: next })} />
      )}
    </div>
  );
}

interface ShownProps {
  report: UsageReport;
  show: UsageMeasure;
  onShow: (next: UsageMeasure) => void;
}

function Shown({ report, show, onShow }: ShownProps) {
  const { t } = useTranslation();
  const lines = useMemo(() => {
    const names = new Map(report.rows.map((row) => [row.key, row.name]));
    const label = (key: string) => names.get(key) || (key && key !== '0' ? key : t('usage.nobody'));
    return linesOf(report, show, label, t('usage.others'));
  }, [report, show, t]);
  const title = t(`usage.show.${show}`);
  return (
    <>
      <Cards now={report.total} before={report.before as Used | null} />
      <div className="page-head">
        <h2>{t('usage.over_time')}</h2>
        <Select
          aria-label={t('usage.show_label')}
          w={140}
          allowDeselect={false}
          data={USAGE_MEASURES.map((each) => ({ value: each, label: t(`usage.show.${each}`) }))}
          value={show}
          onChange={(next) => next && onShow(next as UsageMeasure)}
        />
      </div>
      <div className={classes.chart}>
        <Charts>
          <Chart title={title} unit={show === 'cost' ? 'number' : 'count'} at={report.at} lines={lines} />
        </Charts>
      </div>
      <Rows report={report} />
    </>
  );
}

const ms = (value: number) => duration(value * 1e6);

function Cards({ now, before }: { now: Used; before: Used | null }) {
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
                    <Times times={times} title={t('usage.then', { value: written(then ?? null) })} neutral={neutral} />
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

function PricesLink() {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  return me?.user.system ? <Link to="/prices">{t('usage.prices')}</Link> : null;
}

function Rows({ report }: { report: UsageReport }) {
  const { t } = useTranslation();
  return (
    <section className="panel">
      <div className="scroll-x">
        <table className="table">
          <thead>
            <tr>
              <th>{t(`usage.by.${report.by as UsageDimension}`)}</th>
              <th className="num">{t('usage.requests')}</th>
              <th className="num">{t('usage.errors')}</th>
              <th className="num">{t('usage.tokens')}</th>
              <th className="num">{t('usage.cost')}</th>
              <th className="num">{t('usage.average')}</th>
              <th className="num">{t('usage.latency')}</th>
            </tr>
          </thead>
          <tbody>
            {report.rows.map(({ key, name, used }) => (
              <tr key={key}>
                <td>{name || (key && key !== '0' ? key : <span className="dim">{t('usage.nobody')}</span>)}</td>
                <td className="num">{count(used.calls)}</td>
                <td className="num">{count(used.failed)}</td>
                <td className="num">{count(tokensOf(used))}</td>
                <td className="num">{dollars(used.cost_usd) ?? <span className="dim">{t('usage.unknown')}</span>}</td>
                <td className="num">{ms(used.latency_avg_ms)}</td>
                <td className="num">{ms(used.latency_p95_ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="foot">
        <span>{t('list.shown', { shown: count(report.rows.length), total: count(report.keys) })}</span>
      </div>
    </section>
  );
}

/** What the month will cost, with how sure that is and what it leaves out. */
function BillPanel({ base }: { base: string }) {
  const { t } = useTranslation();
  const { data: bill, error, refetch } = useQuery(billQuery(base));
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
            {t(`usage.method.${bill.method}`, { days: bill.days })} {t('usage.month_utc')}
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
