import { SegmentedControl, Skeleton, Tabs } from '@mantine/core';
import { IconArrowsExchange, IconBug, IconChevronRight, IconDatabase, IconLogs } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { serviceQuery } from '../../api/services.ts';
import type { ServiceSummary } from '../../api/types.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Charts } from '../../parts/chart/Charts.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Health, useReason } from '../../parts/Health.tsx';
import head from '../../parts/ObjectHead.module.css';
import { quoted } from '../../parts/query/language.ts';
import { REDAnswers } from '../../parts/REDAnswers.tsx';
import { REDCharts } from '../../parts/REDCharts.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Dependencies } from './Dependencies.tsx';
import { Endpoints } from './Endpoints.tsx';
import { Instances } from './Instances.tsx';
import { Profiles } from './Profiles.tsx';
import classes from './Service.module.css';
import { Versions } from './Versions.tsx';

const ROUTE = '/home/projects/$project/services/$service';
const TABS = ['endpoints', 'instances', 'versions', 'dependencies', 'profiles'] as const;

/** One service: how it does over time, and what it consists of. */
export function ServicePage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { service } = useParams({ from: ROUTE });
  const { environment, tab = 'endpoints', sort, q, kind, endpoint, call, ...range } = useSearch({ from: ROUTE });
  const navigate = useNavigate();
  const following = { range, pausedAt: usePausedAt() };
  const summary = useQuery(serviceQuery(project, service, environment, following));
  const { data } = summary;
  useTitle(service, t('nav.services'));
  const set = (next: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  if (summary.isError && !data) {
    return (
      <div className="page">
        <Failure error={summary.error} retry={() => void summary.refetch()} />
      </div>
    );
  }
  const params = { project: String(project) };
  const inEnvironment = environment && `environment:${quoted(environment)}`;
  const list = { project, service, environment, sort, q, following, set };
  return (
    <div className="page">
      <Stale query={summary} />
      <header className={head.head}>
        <div className={head.crumbs}>
          <Link to="/projects/$project/services" params={params}>
            {t('nav.services')}
          </Link>
          <IconChevronRight size={14} aria-hidden />
          <span>{service}</span>
        </div>
        <div className={head.titleRow}>
          <h1>{service}</h1>
          {data && <Verdict summary={data} />}
          <span className={classes.links}>
            {data && (data.environments.length > 1 || environment) && (
              <SegmentedControl
                aria-label={t('services.environment')}
                value={environment ?? ''}
                onChange={(v) => set({ environment: v || undefined })}
                data={[{ value: '', label: t('services.all') }, ...data.environments]}
              />
            )}
            <Link to="/projects/$project/transactions" params={params} search={{ service, q: inEnvironment }}>
              <IconArrowsExchange size={15} aria-hidden />
              {t('nav.transactions')}
            </Link>
            <Link to="/projects/$project/issues" params={params} search={{ q: `service:${quoted(service)}` }}>
              <IconBug size={15} aria-hidden />
              {t('nav.issues')}
            </Link>
            <Link
              to="/projects/$project/logs"
              params={params}
              search={{ q: [`service:${quoted(service)}`, inEnvironment].filter(Boolean).join(' ') }}
            >
              <IconLogs size={15} aria-hidden />
              {t('nav.logs')}
            </Link>
            <Link to="/projects/$project/sql" params={params} search={{ service }}>
              <IconDatabase size={15} aria-hidden />
              {t('nav.sql')}
            </Link>
          </span>
        </div>
        {data ? <REDAnswers of={data} transactions={{ service, q: inEnvironment }} /> : <Skeleton height={74} />}
      </header>
      {data ? <Overview summary={data} /> : <Skeleton height={250} />}
      <Tabs
        mt={18}
        value={tab}
        keepMounted={false}
        onChange={(next) =>
          set({
            tab: next === 'endpoints' ? undefined : (next ?? undefined),
            sort: undefined,
            q: undefined,
            kind: undefined,
            endpoint: undefined,
            call: undefined,
          })
        }
      >
        <Tabs.List mb={12}>
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`service.tab.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="endpoints">
          <Endpoints {...list} />
        </Tabs.Panel>
        <Tabs.Panel value="instances">
          <Instances {...list} />
        </Tabs.Panel>
        <Tabs.Panel value="versions">
          <Versions {...list} />
        </Tabs.Panel>
        <Tabs.Panel value="dependencies">
          <Dependencies {...list} />
        </Tabs.Panel>
        <Tabs.Panel value="profiles">
          <Profiles {...list} kind={kind} endpoint={endpoint} call={call} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

function Verdict({ summary }: { summary: ServiceSummary }) {
  const reason = useReason(summary);
  return (
    <span className="row">
      <Health state={summary.health.state} />
      <span className="soft">{reason}</span>
    </span>
  );
}

function Overview({ summary }: { summary: ServiceSummary }) {
  const { from, to, series } = summary;
  const span = useMemo(() => ({ from, to }), [from, to]);
  return (
    <Charts>
      <REDCharts span={span} series={series} />
    </Charts>
  );
}
