import { Skeleton } from '@mantine/core';
import { IconChevronRight, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { statementQuery } from '../../api/statements.ts';
import type { StatementPage as Statement, StatementCall } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Charts } from '../../parts/chart/Charts.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Block } from '../../parts/Mono.tsx';
import head from '../../parts/ObjectHead.module.css';
import { REDAnswers } from '../../parts/REDAnswers.tsx';
import { REDCharts } from '../../parts/REDCharts.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import classes from './Statement.module.css';

const ROUTE = '/home/projects/$project/sql/$hash';

/** One statement: how it does, who runs it, and single runs of it to look into. */
export function StatementPage() {
  const { t, i18n } = useTranslation();
  const project = useProjectId();
  const { hash } = useParams({ from: ROUTE });
  const { service, ...range } = useSearch({ from: ROUTE });
  const page = useQuery(statementQuery(project, hash, service, { range, pausedAt: usePausedAt() }));
  const { data } = page;
  const title = data
    ? [data.operation, data.tables.join(', ')].filter(Boolean).join(' ') || t('sql.statement')
    : t('sql.statement');
  useTitle(title, t('nav.sql'));
  if (page.isError && !data) {
    return (
      <div className="page">
        <Failure error={page.error} retry={() => void page.refetch()} />
      </div>
    );
  }
  return (
    <div className="page">
      <Stale query={page} />
      <header className={head.head}>
        <div className={head.crumbs}>
          <Link to="/projects/$project/sql" params={{ project: String(project) }} search={{ service }}>
            {t('nav.sql')}
          </Link>
          <IconChevronRight size={14} aria-hidden />
          <span>{hash}</span>
        </div>
        <div className={head.titleRow}>
          <h1>{title}</h1>
          {data && <span className="soft">{data.system}</span>}
        </div>
        {data ? <Block text={data.text} what={t('sql.normalised')} tall /> : <Skeleton height={60} />}
        {data ? (
          <REDAnswers of={data}>
            <div>
              <dt>{t('sql.column.share')}</dt>
              <dd>
                <strong>{data.now.count ? percent(data.share) : '–'}</strong>
                <div className="dim">{t('sql.total', { time: duration(data.now.total_ns, i18n.language) })}</div>
              </dd>
            </div>
          </REDAnswers>
        ) : (
          <Skeleton height={74} />
        )}
      </header>
      {data ? <Loaded data={data} project={project} /> : <Skeleton height={250} />}
    </div>
  );
}

function Loaded({ data, project }: { data: Statement; project: number }) {
  const { t } = useTranslation();
  const span = useMemo(() => ({ from: data.from, to: data.to }), [data.from, data.to]);
  const params = { project: String(project) };
  return (
    <>
      <Charts>
        <REDCharts span={span} series={data.series} />
      </Charts>
      <div className={classes.pair}>
        <Section title={t('sql.endpoints')} hint={t('sql.sampled', { count: count(data.sampled) })}>
          <thead>
            <tr>
              <th>{t('transactions.endpoint')}</th>
              <th>{t('sql.service')}</th>
              <th className="num">{t('sql.of_sample')}</th>
              <th className="num">{t('sql.column.average')}</th>
            </tr>
          </thead>
          <tbody onKeyDown={rowKeys}>
            {data.endpoints.map((e) => (
              <tr key={`${e.service} ${e.endpoint}`} className={e.endpoint ? 'link' : undefined}>
                <td>
                  {e.endpoint ? (
                    <Link
                      className="row-link"
                      to="/projects/$project/transactions"
                      params={params}
                      search={{ service: e.service, endpoint: e.endpoint }}
                    >
                      {e.endpoint}
                    </Link>
                  ) : (
                    <span className="dim">{t('sql.no_endpoint')}</span>
                  )}
                </td>
                <td>{e.service}</td>
                <td className="num">{percent(e.calls / data.sampled)}</td>
                <td className="num">{duration(e.average_ns)}</td>
              </tr>
            ))}
          </tbody>
        </Section>
        <Section title={t('sql.callers')}>
          <thead>
            <tr>
              <th>{t('sql.service')}</th>
              <th className="num">{t('red.rate')}</th>
              <th className="num">{t('red.errors')}</th>
              <th className="num">{'p95'}</th>
            </tr>
          </thead>
          <tbody onKeyDown={rowKeys}>
            {data.callers.map((c) => (
              <tr key={c.service} className="link">
                <td>
                  <Link
                    className="row-link"
                    to="/projects/$project/services/$service"
                    params={{ ...params, service: c.service }}
                  >
                    {c.service}
                  </Link>
                </td>
                <td className="num">{rate(c.per_second)}</td>
                <td className="num">{percent(c.error_share)}</td>
                <td className="num">{duration(c.p95_ns)}</td>
              </tr>
            ))}
          </tbody>
        </Section>
        <Calls title={t('sql.slowest')} calls={data.slowest} project={project} />
        <Calls title={t('sql.newest')} calls={data.newest} project={project} />
      </div>
      {data.raw && (
        <section className={classes.section}>
          <h2>{t('sql.raw')}</h2>
          <p className="dim">{t('sql.raw_hint')}</p>
          <Block text={data.raw} what={t('sql.raw')} tall />
        </section>
      )}
    </>
  );
}

function Section({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  return (
    <section className={classes.section}>
      <h2>
        {title} {hint && <span className={`dim ${classes.hint}`}>{hint}</span>}
      </h2>
      <div className="panel scroll-x">
        <table className="table" aria-label={title}>
          {children}
        </table>
      </div>
    </section>
  );
}

function Calls({ title, calls, project }: { title: string; calls: StatementCall[]; project: number }) {
  const { t } = useTranslation();
  return (
    <Section title={title}>
      <thead>
        <tr>
          <th>{t('sql.when')}</th>
          <th>{t('sql.service')}</th>
          <th className="num">{t('sql.took')}</th>
          <th className="num">{t('sql.column.rows')}</th>
        </tr>
      </thead>
      <tbody onKeyDown={rowKeys}>
        {calls.slice(0, 10).map((call) => (
          <tr key={`${call.trace_id}${call.span_id}`} className="link">
            <td>
              <Link
                className="row-link"
                to="/projects/$project/traces/$traceId"
                params={{ project: String(project), traceId: call.trace_id }}
                search={{ span: call.span_id }}
              >
                <When at={call.start} clock />
              </Link>
            </td>
            <td>
              {call.service}
              <div className={`clip dim ${classes.hint}`}>{call.instance}</div>
            </td>
            <td className="num">
              <span className={classes.took}>
                {call.error && (
                  <IconX size={14} stroke={2.6} color="var(--mx-critical)" role="img" aria-label={t('trace.error')} />
                )}
                <strong>{duration(call.duration_ns)}</strong>
              </span>
            </td>
            <td className="num">{call.rows > 0 && count(call.rows)}</td>
          </tr>
        ))}
      </tbody>
    </Section>
  );
}
