import { Modal } from '@mantine/core';
import { IconAlertTriangle, IconArrowRight, IconSearch, IconTimeline } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type LinkProps, useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type ReactNode, useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { incidentsQuery } from '../api/incidents.ts';
import { meQuery } from '../api/session.ts';
import { administersAI } from '../parts/OwnerSelect.tsx';
import { State } from '../parts/State.tsx';
import { When } from '../parts/When.tsx';
import classes from './Search.module.css';
import { useProject } from './useProject.ts';

interface Hit {
  key: string;
  icon: ReactNode;
  label: ReactNode;
  hint?: ReactNode;
  to: LinkProps;
}

/** From anywhere to a trace by its id, an incident, or a page. */
export function Search({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const listId = useId();
  const hits = useHits(text.trim());
  const current = Math.min(at, hits.length - 1);

  const go = (hit: Hit | undefined) => {
    if (!hit) return;
    onClose();
    void navigate(hit.to);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'ArrowDown') setAt(Math.min(current + 1, hits.length - 1));
    else if (event.key === 'ArrowUp') setAt(Math.max(current - 1, 0));
    else if (event.key === 'Enter') go(hits[current]);
    else return;
    event.preventDefault();
  };

  return (
    <Modal
      opened
      onClose={onClose}
      withCloseButton={false}
      size={560}
      padding={0}
      yOffset="12vh"
      aria-label={t('search.label')}
    >
      <div className={classes.field}>
        <IconSearch size={17} aria-hidden />
        <input
          // biome-ignore lint/a11y/noAutofocus: the dialog exists to be typed into
          autoFocus
          value={text}
          onChange={(event) => {
            setText(event.currentTarget.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
          placeholder={t('search.placeholder')}
          role="combobox"
          aria-label={t('search.placeholder')}
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={hits[current] && `${listId}-${current}`}
        />
      </div>
      <div id={listId} role="listbox" aria-label={t('search.results')} className={classes.list}>
        {hits.map((hit, i) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are handled in the combobox above
          <div
            key={hit.key}
            id={`${listId}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === current}
            className={classes.hit}
            onMouseMove={() => setAt(i)}
            onClick={() => go(hit)}
          >
            {hit.icon}
            <span className="clip">{hit.label}</span>
            <span className={classes.hint}>{hit.hint}</span>
          </div>
        ))}
      </div>
      {hits.length === 0 && <p className={classes.none}>{t('search.none')}</p>}
    </Modal>
  );
}

function useHits(text: string): Hit[] {
  const { t } = useTranslation();
  const project = useProject();
  const { data: me } = useQuery(meQuery);
  const number = /^#?(\d+)$/.exec(text)?.[1];
  const { data, isPlaceholderData } = useInfiniteQuery({
    ...incidentsQuery(project?.id ?? 0, 'all', number || /^[0-9a-f]{32}$/i.test(text) ? '' : text),
    enabled: project !== undefined,
    refetchInterval: false,
  });
  if (!project) return [];
  const params = { project: String(project.id) };
  const hits: Hit[] = [];
  if (/^[0-9a-f]{32}$/i.test(text)) {
    hits.push({
      key: 'trace',
      icon: <IconTimeline size={16} aria-hidden />,
      label: t('search.trace', { id: text }),
      to: { to: '/projects/$project/traces/$traceId', params: { ...params, traceId: text.toLowerCase() } },
    });
  }
  if (number) {
    hits.push({
      key: 'number',
      icon: <IconAlertTriangle size={16} aria-hidden />,
      label: t('search.incident', { id: number }),
      to: { to: '/projects/$project/incidents/$incident', params: { ...params, incident: number } },
    });
  }
  const pages: [string, LinkProps][] = [
    [t('nav.home'), { to: '/projects/$project', params }],
    [t('nav.incidents'), { to: '/projects/$project/incidents', params }],
    [t('nav.services'), { to: '/projects/$project/services', params }],
    [t('nav.transactions'), { to: '/projects/$project/transactions', params }],
    [t('nav.sql'), { to: '/projects/$project/sql', params }],
    [t('nav.issues'), { to: '/projects/$project/issues', params }],
    [t('nav.map'), { to: '/projects/$project/map', params }],
    [t('nav.logs'), { to: '/projects/$project/logs', params }],
    [t('nav.hosts'), { to: '/projects/$project/hosts', params }],
    [t('nav.metrics'), { to: '/projects/$project/metrics', params }],
    [t('nav.dashboards'), { to: '/projects/$project/dashboards', params }],
    [t('nav.rules'), { to: '/projects/$project/rules', params }],
    [t('nav.channels'), { to: '/projects/$project/channels', params }],
    [t('nav.calls'), { to: '/projects/$project/ai-calls', params }],
    [t('nav.masking'), { to: '/projects/$project/masking', params }],
    [t('nav.usage'), { to: '/usage' }],
    [t('nav.settings'), { to: '/projects/$project/settings', params }],
    [t('frame.me'), { to: '/me' }],
    [t('nav.orgs'), { to: '/orgs' }],
    ...(me && administersAI(me)
      ? ([
          [t('nav.prices'), { to: '/prices' }],
          [t('nav.providers'), { to: '/providers' }],
        ] satisfies [string, LinkProps][])
      : []),
    ...(me?.user.system
      ? ([
          [t('nav.audit'), { to: '/audit' }],
          [t('nav.models'), { to: '/models' }],
          [t('nav.users'), { to: '/users' }],
        ] satisfies [string, LinkProps][])
      : []),
  ];
  // Answers to an earlier question must not stand under Enter.
  const incidents = hits.length > 0 || isPlaceholderData ? [] : (data?.pages[0]?.items ?? []).slice(0, 6);
  const found = incidents.map((incident) => ({
    key: `i${incident.id}`,
    icon: <State incident={incident} />,
    label: `#${incident.id} ${incident.title}`,
    hint: <When at={incident.opened_at} />,
    to: { to: '/projects/$project/incidents/$incident', params: { ...params, incident: String(incident.id) } } as const,
  }));
  const named: Hit[] = [];
  for (const [label, to] of pages) {
    if (!text || label.toLowerCase().includes(text.toLowerCase())) {
      named.push({ key: label, icon: <IconArrowRight size={16} aria-hidden />, label, hint: t('search.page'), to });
    }
  }
  // What a word names at once comes before what the server finds later: nothing moves under the cursor.
  return text ? [...hits, ...named, ...found] : [...found, ...named];
}
