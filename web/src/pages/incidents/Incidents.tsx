import { Button, Checkbox, Select, Tabs } from '@mantine/core';
import { IconBellOff, IconCircleCheck, IconDownload, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  goesOn,
  INCIDENT_STATES,
  type IncidentState,
  incidentsQuery,
  incidentsTable,
  SEVERITIES,
  statesOf,
  tabCount,
} from '../../api/incidents.ts';
import { peopleQuery } from '../../api/issues.ts';
import { homeQuery } from '../../api/project.ts';
import { meQuery } from '../../api/session.ts';
import type { IncidentSummary } from '../../api/types.ts';
import { lasted } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { ListFoot } from '../../parts/ListFoot.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { Severity } from '../../parts/Severity.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { State } from '../../parts/State.tsx';
import { useNow } from '../../parts/useNow.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { BulkBar } from './BulkBar.tsx';
import classes from './Incidents.module.css';

const ROUTE = '/home/projects/$project/incidents';

/** What is broken in this project, newest first. */
export function Incidents() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const { state = 'open', q = '', severity, service, label, assignee, ...range } = useSearch({ from: ROUTE });
  const filter = { severity, service, label, assignee };
  const pausedAt = usePausedAt();
  const list = useInfiniteQuery(incidentsQuery(projectId, state, q, { range, pausedAt }, filter));
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  const states = statesOf(list.data?.pages[0]);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const picked = items.filter((i) => chosen.has(i.id));
  const set = (next: Record<string, string | undefined>, replace = true) => {
    setChosen(new Set());
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace });
  };
  const toggle = (id: number) =>
    setChosen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const keys = (event: KeyboardEvent<HTMLElement>) => {
    rowKeys(event);
    if (event.key !== 'x' || (event.target as HTMLElement).tagName === 'INPUT') return;
    const links = [...event.currentTarget.querySelectorAll<HTMLElement>('.row-link')];
    const item = items[links.indexOf(document.activeElement as HTMLElement)];
    if (item && canWrite) toggle(item.id);
  };
  useTitle(t('nav.incidents'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.incidents')}</h1>
        <Filter label={t('incidents.filter')} value={q} onChange={(next) => set({ q: next || undefined })} />
        <Narrow project={projectId} severity={severity} assignee={assignee} onChange={set} />
        {service && <Chip text={service} onClear={() => set({ service: undefined })} />}
        {label && <Chip text={label} onClear={() => set({ label: undefined })} />}
        <Button
          component="a"
          variant="default"
          href={incidentsTable(projectId, state, q, filter)}
          download
          leftSection={<IconDownload size={15} />}
        >
          {'CSV'}
        </Button>
      </div>
      <Tabs
        value={state}
        onChange={(next) => set({ state: next === 'open' ? undefined : (next ?? undefined) }, false)}
        aria-label={t('incidents.state')}
      >
        <Tabs.List mb={10}>
          {INCIDENT_STATES.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              <span>{t(`incidents.${tab}`)}</span>
              {goesOn(state) === goesOn(tab) && states && (
                <span className={classes.count}>{count(tabCount(states, tab) ?? 0)}</span>
              )}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <section className="panel" aria-busy={list.isPending}>
        <Stale query={list} />
        {canWrite && items.length > 0 && (
          <BulkBar project={projectId} items={items} picked={picked} onChoose={setChosen} />
        )}
        {list.isError && !list.data ? (
          <Failure error={list.error} retry={() => void list.refetch()} />
        ) : !list.isPending && items.length === 0 ? (
          <Nothing
            state={state}
            q={q || [severity, service, label, assignee && t('incidents.column.who')].filter(Boolean).join(' ')}
            project={projectId}
          />
        ) : (
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  {canWrite && <th className={classes.check} aria-label={t('issues.choose_one')} />}
                  <th className={classes.state}>{t('incidents.column.state')}</th>
                  <th>{t('severity.label')}</th>
                  <th>{t('incidents.column.what')}</th>
                  <th>{t('incidents.column.service')}</th>
                  <th className="num">{t('incidents.column.matches')}</th>
                  <th>{t('incidents.column.since')}</th>
                  <th className="num">{t('incidents.column.lasted')}</th>
                  <th>{t('incidents.column.who')}</th>
                </tr>
              </thead>
              <tbody onKeyDown={keys}>
                {list.isPending ? (
                  <SkeletonRows rows={8} columns={canWrite ? 9 : 8} />
                ) : (
                  items.map((incident) => (
                    <Row
                      key={incident.id}
                      incident={incident}
                      chosen={chosen.has(incident.id)}
                      onChoose={canWrite ? () => toggle(incident.id) : undefined}
                      onLabel={(next) => set({ label: next })}
                    />
                  ))
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

/** A filter that is set by a click elsewhere; a click takes it off. */
function Chip({ text, onClear }: { text: string; onClear: () => void }) {
  const { t } = useTranslation();
  return (
    <Button variant="light" size="xs" onClick={onClear} aria-label={t('incidents.without', { what: text })}>
      {`${text} ×`}
    </Button>
  );
}

interface NarrowProps {
  project: number;
  severity?: string;
  assignee?: string;
  onChange: (next: { severity?: string; assignee?: string }) => void;
}

/** Narrows the list by how bad and whose. */
function Narrow({ project, severity, assignee, onChange }: NarrowProps) {
  const { t } = useTranslation();
  const { data: people } = useQuery(peopleQuery(project));
  const { data: me } = useQuery(meQuery);
  const others = (people ?? []).filter((p) => p.id !== me?.user.id);
  return (
    <>
      <Select
        aria-label={t('severity.label')}
        placeholder={t('severity.label')}
        w={130}
        clearable
        data={SEVERITIES.map((value) => ({ value, label: t(`severity.${value}`) }))}
        value={severity ?? null}
        onChange={(next) => onChange({ severity: next ?? undefined })}
      />
      <Select
        aria-label={t('incidents.column.who')}
        placeholder={t('incidents.column.who')}
        w={150}
        clearable
        data={[
          { value: '-1', label: t('issues.nobody') },
          ...(me ? [{ value: String(me.user.id), label: t('issues.me') }] : []),
          ...others.map((p) => ({ value: String(p.id), label: p.name })),
        ]}
        value={assignee ?? null}
        onChange={(next) => onChange({ assignee: next ?? undefined })}
      />
    </>
  );
}

interface RowProps {
  incident: IncidentSummary;
  chosen: boolean;
  onChoose?: () => void;
  onLabel: (label: string) => void;
}

function Row({ incident, chosen, onChoose, onLabel }: RowProps) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const end = incident.resolved_at ? Date.parse(incident.resolved_at) : now;
  return (
    <tr className="link" data-chosen={chosen || undefined}>
      {onChoose && (
        <td className={classes.check}>
          <Checkbox
            aria-label={t('issues.choose', { id: incident.id, type: incident.title })}
            checked={chosen}
            onChange={onChoose}
          />
        </td>
      )}
      <td>
        <State incident={incident} />
      </td>
      <td>
        <Severity severity={incident.severity} />
      </td>
      <td>
        <Link
          className="row-link"
          to="/projects/$project/incidents/$incident"
          params={{ project: String(incident.project_id), incident: String(incident.id) }}
        >
          {incident.title}
        </Link>
        <div className={classes.rule}>
          {t('incidents.rule', { id: incident.id, rule: incident.rule.name })}
          {incident.parent_kind === 'symptom' && ` · ${t('incidents.symptom_of', { id: incident.parent_id })}`}
          {incident.flapping && ` · ${t('incident.flapping')}`}
          {!incident.told && incident.silence_id > 0 && (
            <span className={classes.silenced}>
              <IconBellOff size={13} aria-hidden /> {t('incident.silenced')}
            </span>
          )}
          {Object.entries(incident.labels).map(([name, value]) => (
            <button
              key={name}
              type="button"
              className={classes.label}
              onClick={() => onLabel(`${name}=${value}`)}
            >{`${name}=${value}`}</button>
          ))}
        </div>
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
      <td>{incident.assignee || incident.acknowledged_by || <span className="dim">{t('incidents.nobody')}</span>}</td>
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
