import { Button, Menu } from '@mantine/core';
import {
  IconArchive,
  IconBandage,
  IconBellOff,
  IconCheck,
  IconChevronDown,
  IconRefresh,
  IconRotate2,
  IconUserCheck,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../api/session.ts';
import type { Incident } from '../../api/types.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import classes from './Incident.module.css';
import { useAnalyze, useIncidentChange, useSilence } from './useIncidentChange.ts';

type State = Incident['state'];

/** What may follow each state; the first is the next step. */
const STEPS: Record<State, State[]> = {
  open: ['acknowledged', 'mitigated', 'resolved'],
  acknowledged: ['resolved', 'mitigated'],
  mitigated: ['resolved', 'acknowledged'],
  resolved: ['closed', 'open'],
  closed: [],
};

const ICONS = {
  open: IconRotate2,
  acknowledged: IconUserCheck,
  mitigated: IconBandage,
  resolved: IconCheck,
  closed: IconArchive,
} as const;

/** The keys that stand for a step. */
const KEYS: Partial<Record<string, State>> = { a: 'acknowledged', r: 'resolved' };

/** How long a silence made here lasts, in hours. */
const HOURS = [1, 4, 24] as const;

/** The next step first, then what else can be done. */
export function Actions({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const change = useIncidentChange(incident);
  const analyze = useAnalyze(incident);
  const silence = useSilence(incident);
  const { data: me } = useQuery(meQuery);
  const merged = incident.parent_kind === 'merged';
  const steps = merged ? [] : STEPS[incident.state];
  useKeys(canWrite, (key) => {
    const to = KEYS[key];
    if (to && steps.includes(to)) change.mutate({ state: to });
    if (key === 'm' && me) change.mutate({ assignee_id: me.user.id });
  });
  if (!canWrite) return <span className={classes.readOnly}>{t('incident.read_only')}</span>;
  const analysing = incident.analysis === 'pending' || incident.analysis === 'running';
  return (
    <div className={classes.actions}>
      {steps.map((to, i) => {
        const Icon = ICONS[to];
        const key = Object.keys(KEYS).find((each) => KEYS[each] === to);
        return (
          <Button
            key={to}
            variant={i === 0 && to !== 'closed' ? 'filled' : 'default'}
            leftSection={<Icon size={15} />}
            aria-keyshortcuts={key}
            onClick={() => change.mutate({ state: to })}
          >
            {t(`incident.turn.${to}`)}
          </Button>
        );
      })}
      <Menu position="bottom-end">
        <Menu.Target>
          <Button
            variant="default"
            leftSection={<IconBellOff size={15} />}
            rightSection={<IconChevronDown size={14} />}
            loading={silence.isPending}
          >
            {t('silences.silence')}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          {HOURS.map((hours) => (
            <Menu.Item key={hours} onClick={() => silence.mutate(hours)}>
              {t('silences.for_hours', { hours })}
            </Menu.Item>
          ))}
          <Menu.Divider />
          <Menu.Item
            component={Link}
            to="/projects/$project/silences"
            // biome-ignore lint/suspicious/noExplicitAny: Mantine's polymorphic props lose the router's types
            {...({ params: { project: String(incident.project_id) } } as any)}
          >
            {t('silences.all')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Button
        variant="default"
        leftSection={<IconRefresh size={15} />}
        loading={analysing}
        onClick={() => analyze.mutate(undefined)}
      >
        {t('action.analyze')}
      </Button>
    </div>
  );
}

/** Letters pressed outside of fields and dialogs, unless g waits for one. */
export function useKeys(enabled: boolean, onLetter: (key: string) => void) {
  useEffect(() => {
    if (!enabled) return;
    let after = '';
    const onKey = (event: KeyboardEvent) => {
      const elsewhere =
        event.target instanceof HTMLElement &&
        event.target.closest('input, textarea, select, [contenteditable], [role="dialog"], [role="menu"]');
      if (elsewhere || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const leads = after === 'g';
      after = event.key;
      if (!leads) onLetter(event.key);
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  });
}
