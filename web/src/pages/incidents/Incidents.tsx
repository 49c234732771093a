import { SegmentedControl } from '@mantine/core';
import { IconCircleCheck, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type IncidentState, incidentsQuery } from '../../api/incidents.ts';
import { homeQuery } from '../../api/project.ts';
import type { IncidentSummary } from '../../api/types.ts';
import { lasted } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { ListFoot } from '../../parts/ListFoot.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { State } from '../../parts/State.tsx';
import { useNow } from '../../parts/useNow.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import classes from './Incidents.module.css';

/** What is broken in this project, newest first. */
export function Incidents() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const { state = 'open', q = '', ...range } = useSearch({ from: '/home/projects/$project/incidents' });
  const pausedAt = usePausedAt();
  const list = useInfiniteQuery(incidentsQuery(projectId, state, q, { range, pausedAt }));
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  useTitle(t('nav.incidents'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.incidents')}</h1>
        <Filter
          label={t('incidents.filter')}
          value={q}
          onChange={(next) =>
            void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true })
          }
        />
        <SegmentedControl
          value={state}
          aria-label={t('incidents.state')}
          onChange={(next) =>
            void navigate({
              to: '.',
              search: (old) => ({ ...old, state: next === 'open' ? undefined : (next as IncidentState) }),
            })
          }
          data={(['open', 'resolved', 'all'] as const).map((value) => ({ value, label: t(`incidents.${value}`) }))}
        />
      </div>
      <section className="panel" aria-busy={list.isPending}>
        <Stale query={list} />
        {list.isError && !list.data ? (
          <Failure error={list.error} retry={() => void list.refetch()} />
        ) : !list.isPending && items.length === 0 ? (
          <Nothing state={state} q={q} project={projectId} />
        ) : (
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  <th className={classes.state}>{t('incidents.column.state')}</th>
                  <th>{t('incidents.column.what')}</th>
                  <th>{t('incidents.column.service')}</th>
                  <th className="num">{t('incidents.column.matches')}</th>
                  <th>{t('incidents.column.since')}</th>
                  <th className="num">{t('incidents.column.lasted')}</th>
                  <th>{t('incidents.column.who')}</th>
                </tr>
              </thead>
              <tbody onKeyDown={rowKeys}>
                {list.isPending ? (
                  <SkeletonRows rows={8} columns={7} />
                ) : (
                  items.map((incident) => <Row key={incident.id} incident={incident} />)
                )}
              </tbody>
            </table>
          </div>
        )}
        {items.length > 0 && <ListFoot shown={items.length} total={total} list={list} />}
      </section>
    </div>
  );
}

function Row({ incident }: { incident: IncidentSummary }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const end = incident.resolved_at ? Date.parse(incident.resolved_at) : now;
  return (
    <tr className="link">
      <td>
        <State incident={incident} />
      </td>
      <td>
        <Link
          className="row-link"
          to="/projects/$project/incidents/$incident"
          params={{ project: String(incident.project_id), incident: String(incident.id) }}
        >
          {incident.title}
        </Link>
        <div className={classes.rule}>{t('incidents.rule', { id: incident.id, rule: incident.rule.name })}</div>
      </td>
      <td>
        {incident.service}
        <div className={classes.rule}>{incident.phase}</div>
      </td>
      <td className="num">{count(incident.matches)}</td>
      <td>
        <When at={incident.opened_at} />
      </td>
      <td className="num">{lasted(end - Date.parse(incident.opened_at), i18n.language)}</td>
      <td>{incident.acknowledged_by || <span className="dim">{t('incidents.nobody')}</span>}</td>
    </tr>
  );
}

function Nothing({ state, q, project }: { state: IncidentState; q: string; project: number }) {
  const { t } = useTranslation();
  const { data: home, error, isPending, refetch } = useQuery(homeQuery(project));
  if (q) {
    return (
      <Empty icon={IconSearch} title={t('incidents.no_match', { q })}>
        <p>{t('incidents.no_match_hint')}</p>
      </Empty>
    );
  }
  if (isPending) return <div className={classes.waiting} aria-busy />;
  if (!home) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <Empty icon={IconCircleCheck} title={t(state === 'open' ? 'incidents.none_open' : 'incidents.none')}>
      {home.receiving ? (
        <>
          {state !== 'open' && <p>{t('incidents.none_hint')}</p>}
          <p>{t('incidents.calm', { rules: home.enabled_rules, transactions: count(home.transactions) })}</p>
        </>
      ) : (
        <>
          <p>{t('first.why')}</p>
          <FirstTelemetry project={project} />
        </>
      )}
    </Empty>
  );
}
