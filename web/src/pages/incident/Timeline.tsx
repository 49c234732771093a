import { ActionIcon, Button, Textarea } from '@mantine/core';
import { IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type RefObject, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { commentIncident, editComment } from '../../api/incidents.ts';
import { meQuery } from '../../api/session.ts';
import type { Incident, TimelineEntry } from '../../api/types.ts';
import { absolute } from '../../format/time.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import classes from './Incident.module.css';
import { useReason } from './useReason.ts';

const TONES: Partial<Record<TimelineEntry['kind'], string>> = {
  opened: 'critical',
  reopened: 'critical',
  flapping: 'critical',
  acknowledged: 'warning',
  mitigated: 'warning',
  resolved: 'ok',
  closed: 'ok',
};

interface Props {
  incident: Incident;
  /** Where one writes, so that a key can lead there. */
  field?: RefObject<HTMLTextAreaElement | null>;
}

/** What happened to the incident and what people said of it, oldest first. */
export function Timeline({ incident, field }: Props) {
  const canWrite = useCanWrite();
  return (
    <>
      <ol className={classes.timeline}>
        {(incident.timeline ?? []).map((entry) => (
          <li key={entry.id} data-tone={TONES[entry.kind]}>
            <When at={entry.at} clock />
            {entry.kind === 'comment' ? (
              <Comment incident={incident} entry={entry} />
            ) : (
              <Entry incident={incident} entry={entry} />
            )}
          </li>
        ))}
      </ol>
      {canWrite && <Say incident={incident} field={field} />}
    </>
  );
}

function Entry({ incident, entry }: { incident: Incident; entry: TimelineEntry }) {
  const { t } = useTranslation();
  const detail = useDetail();
  return (
    <div>
      <strong>{t(`timeline.${entry.kind}`)}</strong>
      {entry.incident_id !== incident.id && <span className="dim"> {`#${entry.incident_id}`}</span>}
      <div className="dim">{detail(entry)}</div>
    </div>
  );
}

function Say({ incident, field }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const say = useChange((said: string) => commentIncident(incident.project_id, incident.id, said), {
    refresh: ['incident', incident.project_id, incident.id],
    onDone: () => setText(''),
  });
  const send = () => {
    if (text.trim()) say.mutate(text.trim());
  };
  return (
    <form
      className={classes.say}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <Textarea
        ref={field}
        autosize
        minRows={2}
        maxLength={10_000}
        aria-label={t('incident.comment')}
        placeholder={t('incident.comment')}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) send();
        }}
      />
      <Button type="submit" disabled={!text.trim()} loading={say.isPending}>
        {t('incident.say')}
      </Button>
    </form>
  );
}

function Comment({ incident, entry }: { incident: Incident; entry: TimelineEntry }) {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const canWrite = useCanWrite();
  const [text, setText] = useState<string>();
  const edit = useChange((said: string) => editComment(incident.project_id, entry.incident_id, entry.id, said), {
    refresh: ['incident', incident.project_id],
    onDone: () => setText(undefined),
  });
  const mine = canWrite && me !== undefined && entry.data.user === me.user.id;
  const said = String(entry.data.text ?? '');
  return (
    <div>
      <div className={classes.said}>
        <strong>{String(entry.data.by)}</strong>
        {entry.data.edited === true && <span className="dim">{t('incident.edited')}</span>}
        {mine && text === undefined && (
          <>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t('incident.comment_edit')}
              onClick={() => setText(said)}
            >
              <IconPencil size={14} />
            </ActionIcon>
            <ActionIcon
              variant="subtle"
              color="gray"
              size="sm"
              aria-label={t('incident.comment_delete')}
              loading={edit.isPending}
              onClick={() => edit.mutate('')}
            >
              <IconTrash size={14} />
            </ActionIcon>
          </>
        )}
      </div>
      {text === undefined ? (
        <p className={classes.text}>{said}</p>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (text.trim()) edit.mutate(text.trim());
          }}
        >
          <Textarea
            autosize
            autoFocus
            minRows={2}
            maxLength={10_000}
            aria-label={t('incident.comment')}
            value={text}
            onChange={(event) => setText(event.currentTarget.value)}
          />
          <div className={classes.saidActions}>
            <Button type="submit" size="compact-xs" loading={edit.isPending}>
              {t('action.save')}
            </Button>
            <Button size="compact-xs" variant="default" onClick={() => setText(undefined)}>
              {t('action.cancel')}
            </Button>
          </div>
        </form>
      )}
    </div>
  );
}

/** Who or what was behind an entry, in words. */
function useDetail() {
  const { t } = useTranslation();
  const reason = useReason();
  return ({ kind, data }: TimelineEntry): string => {
    const by = data.by ? t('timeline.by', { name: data.by }) : '';
    const also = (text: string) => [text, by].filter(Boolean).join(' · ');
    switch (kind) {
      case 'opened':
      case 'matched':
        return data.matches ? t('incident.times', { times: data.matches }) : '';
      case 'reopened':
        return by || (data.matches ? t('incident.times', { times: data.matches }) : '');
      case 'investigated':
        return t('evidence.spent', { questions: data.questions, facts: data.facts, tokens: data.tokens });
      case 'analyzed':
        return data.source === 'model' ? `${data.model} (${data.provider})` : reason(String(data.reason ?? ''));
      case 'resolved':
        return by || (data.quiet_minutes ? t('timeline.quiet', { minutes: data.quiet_minutes }) : '');
      case 'severity':
        return also(`${t(`severity.${data.from as 'info'}`)} → ${t(`severity.${data.to as 'info'}`)}`);
      case 'assigned':
        return also(data.to ? String(data.to) : t('issues.nobody'));
      case 'silenced':
        return also(
          data.until
            ? t('timeline.until', { reason: data.reason, until: absolute(String(data.until)).slice(0, 16) })
            : String(data.reason ?? ''),
        );
      case 'merged':
      case 'symptom':
      case 'split':
        return also(`#${data.incident} ${data.title ?? ''}`);
      case 'merged_into':
      case 'symptom_of':
      case 'split_off':
        return also(`#${data.incident}`);
      case 'flapping':
        return t('timeline.flaps', { times: data.times, minutes: data.minutes });
      default:
        return by;
    }
  };
}
