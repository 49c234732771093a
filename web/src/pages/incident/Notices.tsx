import { Button } from '@mantine/core';
import { IconBellOff, IconGitMerge, IconRepeat, IconSitemap } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { silencesQuery, splitIncident } from '../../api/incidents.ts';
import type { Incident } from '../../api/types.ts';
import { absolute } from '../../format/time.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { useChange } from '../../parts/useChange.ts';
import classes from './Incident.module.css';

/** What one must know before reading on: why nobody was told, and what this belongs to. */
export function Notices({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const { parent_id: parent, parent_kind: kind } = incident;
  return (
    <>
      {kind === 'symptom' && (
        <Notice icon={IconSitemap} title={t('incident.symptom_of')}>
          <Parent incident={incident} />
          <span>{t(incident.told ? 'incident.symptom_told' : 'incident.symptom_means')}</span>
          <Split incident={incident} label={t('incident.detach')} />
        </Notice>
      )}
      {kind === 'merged' && (
        <Notice icon={IconGitMerge} title={t('incident.merged_into', { id: parent })}>
          <Parent incident={incident} />
          <span>{t('incident.merged_means')}</span>
          <Split incident={incident} label={t('incident.split')} />
        </Notice>
      )}
      {incident.silence_id > 0 && !incident.told && <Silenced incident={incident} />}
      {incident.flapping && (
        <Notice icon={IconRepeat} title={t('incident.flapping')}>
          <span>{t('incident.flapping_means', { times: incident.reopened })}</span>
        </Notice>
      )}
    </>
  );
}

function Notice({ icon: Icon, title, children }: { icon: typeof IconBellOff; title: string; children: ReactNode }) {
  return (
    <div className={`panel ${classes.notice}`} role="note">
      <Icon size={18} aria-hidden />
      <strong>{title}</strong>
      {children}
    </div>
  );
}

function Parent({ incident }: { incident: Incident }) {
  return (
    <Link
      to="/projects/$project/incidents/$incident"
      params={{ project: String(incident.project_id), incident: String(incident.parent_id) }}
    >
      {`#${incident.parent_id}`}
    </Link>
  );
}

function Split({ incident, label }: { incident: Incident; label: string }) {
  const canWrite = useCanWrite();
  const { t } = useTranslation();
  const split = useChange(() => splitIncident(incident.project_id, incident.id), {
    refresh: ['incident', incident.project_id],
    also: ['incidents', incident.project_id],
    done: t('incident.split_done'),
  });
  if (!canWrite) return null;
  return (
    <Button size="compact-xs" variant="default" loading={split.isPending} onClick={() => split.mutate(undefined)}>
      {label}
    </Button>
  );
}

function Silenced({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const { data } = useQuery(silencesQuery(incident.project_id));
  const silence = data?.find((s) => s.id === incident.silence_id);
  return (
    <Notice icon={IconBellOff} title={t('incident.silenced')}>
      {silence && (
        <span>
          {t(silence.active ? 'incident.silenced_by' : 'incident.silenced_until', {
            name: silence.created_by,
            reason: silence.reason,
            until: absolute(silence.ends_at).slice(0, 16),
          })}
        </span>
      )}
      <Link to="/projects/$project/silences" params={{ project: String(incident.project_id) }}>
        {t('silences.all')}
      </Link>
    </Notice>
  );
}
