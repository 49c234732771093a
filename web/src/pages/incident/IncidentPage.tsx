import { Skeleton, Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { incidentQuery } from '../../api/incidents.ts';
import type { Incident } from '../../api/types.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useCanWrite, useProjectId } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Block } from '../../parts/Mono.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { useKeys } from './Actions.tsx';
import { Children } from './Children.tsx';
import { Deliveries } from './Deliveries.tsx';
import { Evidence } from './Evidence.tsx';
import { Head } from './Head.tsx';
import { Impact } from './Impact.tsx';
import classes from './Incident.module.css';
import { Masking } from './Masking.tsx';
import { ReportView } from './ReportView.tsx';
import { Timeline } from './Timeline.tsx';

const ROUTE = '/home/projects/$project/incidents/$incident';

/** One incident: what fired, what the report says, and beside it what the report stands on. */
export function IncidentPage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const id = Number(useParams({ from: ROUTE }).incident);
  const query = useQuery(incidentQuery(project, id, usePausedAt()));
  const { data: incident, error, refetch } = query;
  useTitle(incident ? `#${incident.id} ${incident.title}` : `#${id}`, t('nav.incidents'));

  if (error && !incident) {
    return (
      <div className="page">
        <Failure error={error} retry={() => void refetch()} />
      </div>
    );
  }
  if (!incident) return <Waiting />;
  return (
    <div className="page">
      <Stale query={query} />
      <Head incident={incident} />
      <div className={classes.columns}>
        <div className={classes.main}>
          <Children incident={incident} />
          <Impact incident={incident} />
          <AlarmText incident={incident} />
          <ReportView incident={incident} />
        </div>
        <Aside incident={incident} />
      </div>
    </div>
  );
}

function AlarmText({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  return (
    <section aria-labelledby="alarm">
      <h2 id="alarm" className={classes.heading}>
        {t('incident.alarm')}
      </h2>
      <Block text={incident.alarm} what={t('incident.alarm')} />
    </section>
  );
}

function Aside({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { tab = 'evidence', fact } = useSearch({ from: ROUTE });
  const evidence = incident.evidence ?? [];
  const masked = incident.masking?.tokens?.length ?? 0;
  const field = useRef<HTMLTextAreaElement>(null);
  const writes = useRef(false);
  const show = (next: string | null) =>
    void navigate({
      to: '.',
      search: (old) => ({ ...old, tab: next === 'evidence' ? undefined : (next as typeof tab), fact: undefined }),
      replace: true,
      resetScroll: false,
    });
  useKeys(useCanWrite(), (key) => {
    if (key !== 'c') return;
    writes.current = true;
    if (tab === 'timeline') setTimeout(() => field.current?.focus());
    else show('timeline');
  });
  useEffect(() => {
    if (tab !== 'timeline' || !writes.current) return;
    writes.current = false;
    field.current?.focus();
  }, [tab]);
  return (
    <Tabs className={`panel ${classes.aside}`} value={tab} keepMounted={false} onChange={show}>
      <Tabs.List className={classes.tabs}>
        <Tab value="evidence" label={t('incident.tab.evidence')} count={evidence.length} />
        <Tab value="timeline" label={t('incident.tab.timeline')} count={incident.timeline?.length ?? 0} />
        <Tab value="masking" label={t('incident.tab.masking')} count={masked} />
        <Tab value="deliveries" label={t('incident.tab.deliveries')} count={incident.deliveries?.length ?? 0} />
      </Tabs.List>
      <Tabs.Panel value="evidence">
        <Evidence incident={incident} marked={fact} />
      </Tabs.Panel>
      <Tabs.Panel value="timeline">
        <Timeline incident={incident} field={field} />
      </Tabs.Panel>
      <Tabs.Panel value="masking">
        <Masking masking={incident.masking} />
      </Tabs.Panel>
      <Tabs.Panel value="deliveries">
        <Deliveries deliveries={incident.deliveries ?? []} />
      </Tabs.Panel>
    </Tabs>
  );
}

function Tab({ value, label, count }: { value: string; label: string; count: number }) {
  return (
    <Tabs.Tab value={value}>
      {label}
      {count > 0 && <span className={classes.tabCount}>{count}</span>}
    </Tabs.Tab>
  );
}

function Waiting() {
  return (
    <div className="page" aria-busy>
      <Skeleton height={20} width={160} mb={10} />
      <Skeleton height={26} width="46%" mb={14} />
      <Skeleton height={58} mb={18} />
      <div className={classes.columns}>
        <div className={classes.main}>
          <Skeleton height={170} />
          <Skeleton height={420} />
        </div>
        <Skeleton height={600} className={classes.aside} />
      </div>
    </div>
  );
}
