import { Button, SegmentedControl } from '@mantine/core';
import { IconBellOff, IconCalendarOff, IconPlayerStop, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { deleteMaintenance, endSilence, maintenancesQuery, silencesQuery } from '../../api/incidents.ts';
import { rulesQuery } from '../../api/rules.ts';
import type { Maintenance, Matchers, Silence } from '../../api/types.ts';
import { absolute } from '../../format/time.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import state from '../../parts/State.module.css';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { dayNames } from '../../parts/Weekdays.tsx';
import { When } from '../../parts/When.tsx';
import { MaintenanceForm } from './MaintenanceForm.tsx';
import { SilenceForm } from './SilenceForm.tsx';
import classes from './Silences.module.css';

/** When nobody is told: silences that somebody made, and maintenance that is planned. */
export function Silences() {
  const { t } = useTranslation();
  const project = useProject();
  const projectId = useProjectId();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const { tab = 'silences' } = useSearch({ from: '/home/projects/$project/silences' });
  const [making, setMaking] = useState(false);
  useTitle(t('nav.silences'), project?.name);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.silences')}</h1>
        <SegmentedControl
          aria-label={t('silences.which')}
          value={tab}
          data={(['silences', 'maintenance'] as const).map((value) => ({ value, label: t(`silences.tab.${value}`) }))}
          onChange={(next) =>
            void navigate({
              to: '.',
              search: (old) => ({ ...old, tab: next === 'maintenance' ? 'maintenance' : undefined }),
            })
          }
        />
        {canWrite && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
            {t(`silences.add.${tab}`)}
          </Button>
        )}
      </div>
      <p className={classes.means}>{t(`silences.means.${tab}`)}</p>
      {tab === 'silences' ? <SilenceList project={projectId} /> : <MaintenanceList project={projectId} />}
      {making &&
        (tab === 'silences' ? (
          <SilenceForm project={projectId} onClose={() => setMaking(false)} />
        ) : (
          <MaintenanceForm project={projectId} onClose={() => setMaking(false)} />
        ))}
    </div>
  );
}

function SilenceList({ project }: { project: number }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const { data, error, isPending, refetch } = useQuery({ ...silencesQuery(project), refetchInterval: 30_000 });
  const end = useChange((silence: Silence) => endSilence(project, silence.id), {
    refresh: ['silences', project],
    done: t('silences.ended'),
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (data?.length === 0) {
    return (
      <section className="panel">
        <Empty icon={IconBellOff} title={t('silences.none.silences')}>
          <p>{t('silences.none_hint.silences')}</p>
        </Empty>
      </section>
    );
  }
  return (
    <section className="panel scroll-x" aria-busy={isPending}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('silences.column.state')}</th>
            <th>{t('silences.column.matches')}</th>
            <th>{t('silences.column.reason')}</th>
            <th>{t('silences.column.until')}</th>
            <th className="num">{t('silences.column.held')}</th>
            <th aria-label={t('channels.column.actions')} />
          </tr>
        </thead>
        <tbody>
          {isPending && <SkeletonRows rows={3} columns={6} />}
          {data?.map((silence) => (
            <tr key={silence.id} className={silence.active ? undefined : 'off'}>
              <td>
                <Holds active={silence.active} planned={Date.parse(silence.starts_at) > Date.now()} />
              </td>
              <td>
                <Matched project={project} matchers={silence.matchers} />
              </td>
              <td>
                {silence.reason}
                <div className="dim">{silence.created_by}</div>
              </td>
              <td>
                {absolute(silence.ends_at).slice(0, 16)}
                {silence.ended_by && <div className="dim">{t('silences.ended_by', { name: silence.ended_by })}</div>}
              </td>
              <td className="num">{silence.held}</td>
              <td>
                {canWrite && Date.parse(silence.ends_at) > Date.now() && (
                  <RowAction
                    icon={IconPlayerStop}
                    label={t('silences.end')}
                    of={silence.reason}
                    onClick={() => end.mutate(silence)}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function MaintenanceList({ project }: { project: number }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [deleting, setDeleting] = useState<Maintenance>();
  const { data, error, isPending, refetch } = useQuery({ ...maintenancesQuery(project), refetchInterval: 30_000 });
  const removal = useChange((window: Maintenance) => deleteMaintenance(project, window.id), {
    refresh: ['maintenance-windows', project],
    done: t('silences.deleted'),
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (data?.length === 0) {
    return (
      <section className="panel">
        <Empty icon={IconCalendarOff} title={t('silences.none.maintenance')}>
          <p>{t('silences.none_hint.maintenance')}</p>
        </Empty>
      </section>
    );
  }
  return (
    <section className="panel scroll-x" aria-busy={isPending}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('silences.column.state')}</th>
            <th>{t('silences.column.name')}</th>
            <th>{t('silences.column.when')}</th>
            <th>{t('silences.column.matches')}</th>
            <th className="num">{t('silences.column.firings')}</th>
            <th aria-label={t('channels.column.actions')} />
          </tr>
        </thead>
        <tbody>
          {isPending && <SkeletonRows rows={3} columns={6} />}
          {data?.map((window) => (
            <tr key={window.id} className={window.over ? 'off' : undefined}>
              <td>
                <Holds active={window.active} planned={!window.over} />
              </td>
              <td>
                <strong>{window.name}</strong>
                <div className="dim">{window.created_by}</div>
              </td>
              <td>
                <Timing window={window} />
              </td>
              <td>
                <Matched project={project} matchers={window.matchers} />
              </td>
              <td className="num">
                {window.held}
                {window.held_at && (
                  <div className="dim">
                    <When at={window.held_at} />
                  </div>
                )}
              </td>
              <td>
                {canWrite && (
                  <RowAction
                    icon={IconTrash}
                    label={t('action.delete')}
                    of={window.name}
                    onClick={() => setDeleting(window)}
                  />
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Confirm
        opened={deleting !== undefined}
        title={t('silences.delete_title', { name: deleting?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('silences.delete_means')}
      </Confirm>
    </section>
  );
}

function Holds({ active, planned }: { active: boolean; planned: boolean }) {
  const { t } = useTranslation();
  const how = active ? 'active' : planned ? 'planned' : 'over';
  return (
    <span className={state.badge} data-tone={active ? 'warning' : 'none'}>
      {t(`silences.state.${how}`)}
    </span>
  );
}

/** What is matched, as one would say it. */
function Matched({ project, matchers }: { project: number; matchers: Matchers }) {
  const { t } = useTranslation();
  const { data: rules } = useQuery(rulesQuery(project));
  const said = [
    matchers.rule_id && [
      t('silences.match.rule'),
      rules?.find((r) => r.id === matchers.rule_id)?.name ?? `#${matchers.rule_id}`,
    ],
    matchers.service && [t('silences.match.service'), matchers.service],
    matchers.phase && [t('silences.match.phase'), matchers.phase],
    matchers.subject && [t('silences.match.subject'), matchers.subject],
    ...Object.entries(matchers.labels ?? {}),
  ].filter((each): each is [string, string] => Boolean(each));
  if (said.length === 0) return <span>{t('silences.everything')}</span>;
  return (
    <span className={classes.matchers}>
      {said.map(([name, value]) => (
        <code key={name}>{`${name} = ${value}`}</code>
      ))}
    </span>
  );
}

function Timing({ window: { timing } }: { window: Maintenance }) {
  const { t, i18n } = useTranslation();
  if (!timing.weekly) {
    return (
      <>
        {`${timing.from ? absolute(timing.from).slice(0, 16) : ''} – ${timing.to ? absolute(timing.to).slice(0, 16) : ''}`}
      </>
    );
  }
  const days = dayNames(timing.days, i18n.language).join(' ');
  return (
    <>
      {`${days || t('silences.every_day')} ${timing.start}–${timing.end}`}
      <div className="dim">{timing.zone}</div>
    </>
  );
}
