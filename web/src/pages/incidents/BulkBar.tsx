import { Button, Checkbox, Menu } from '@mantine/core';
import { IconBellOff, IconCheck, IconChevronDown, IconGitMerge, IconUser, IconUserCheck } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changeIncidents, createSilence, mergeIncidents, silenceFor } from '../../api/incidents.ts';
import { peopleQuery } from '../../api/issues.ts';
import { meQuery } from '../../api/session.ts';
import type { IncidentChange, IncidentSummary } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import classes from './Incidents.module.css';

interface Props {
  project: number;
  items: IncidentSummary[];
  picked: IncidentSummary[];
  onChoose: (ids: ReadonlySet<number>) => void;
}

/** Chooses all, and does one thing to what is chosen. */
export function BulkBar({ project, items, picked, onChoose }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [merging, setMerging] = useState(false);
  const { data: me } = useQuery(meQuery);
  const { data: people } = useQuery(peopleQuery(project));
  const run = async (work: () => Promise<string>) => {
    setBusy(true);
    try {
      toastDone(await work());
      onChoose(new Set());
    } catch (error) {
      toastProblem(error);
    } finally {
      setBusy(false);
      void client.invalidateQueries({ queryKey: ['incidents', project] });
      void client.invalidateQueries({ queryKey: ['incident', project] });
      void client.invalidateQueries({ queryKey: ['silences', project] });
    }
  };
  const change = (what: IncidentChange) =>
    void run(async () => {
      const { changed, refused } = await changeIncidents(
        project,
        picked.map((i) => i.id),
        what,
      );
      const done = t('incidents.bulk.changed', { n: changed });
      return refused.length > 0 ? `${done} ${t('incidents.bulk.refused', { n: refused.length })}` : done;
    });
  const silence = (hours: number) =>
    void run(async () => {
      const about = new Map(picked.map((i) => [[i.rule.id, i.service, i.phase, i.subject].join('\n'), i]));
      for (const incident of about.values()) {
        await createSilence(project, silenceFor(incident, hours, t('silences.of_incident', { id: incident.id })));
      }
      return t('silences.made');
    });
  // The one that has been open longest is what the others become parts of.
  const into = picked.toSorted((a, b) => a.opened_at.localeCompare(b.opened_at) || a.id - b.id)[0];
  const merge = () => {
    setMerging(false);
    if (!into) return;
    void run(async () => {
      await mergeIncidents(
        project,
        into.id,
        picked.filter((i) => i.id !== into.id).map((i) => i.id),
      );
      return t('incidents.bulk.merged', { id: into.id });
    });
  };
  return (
    <div className={classes.bulk}>
      <Checkbox
        aria-label={t('issues.choose_all')}
        checked={picked.length === items.length}
        indeterminate={picked.length > 0 && picked.length < items.length}
        onChange={() => onChoose(picked.length > 0 ? new Set() : new Set(items.map((i) => i.id)))}
      />
      {picked.length === 0 ? (
        <span className="dim">{t('incidents.bulk.hint')}</span>
      ) : (
        <>
          <span>{t('issues.chosen', { n: picked.length })}</span>
          <Button
            variant="default"
            leftSection={<IconUserCheck size={15} />}
            loading={busy}
            onClick={() => change({ state: 'acknowledged' })}
          >
            {t('action.acknowledge')}
          </Button>
          <Button
            variant="default"
            leftSection={<IconCheck size={15} />}
            loading={busy}
            onClick={() => change({ state: 'resolved' })}
          >
            {t('action.resolve')}
          </Button>
          <Menu position="bottom-start">
            <Menu.Target>
              <Button
                variant="default"
                leftSection={<IconUser size={15} />}
                rightSection={<IconChevronDown size={14} />}
                loading={busy}
              >
                {t('issues.assign')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {me && (
                <Menu.Item onClick={() => change({ assignee_id: me.user.id })}>{t('incident.assign_me')}</Menu.Item>
              )}
              {people
                ?.filter((p) => p.id !== me?.user.id)
                .map((p) => (
                  <Menu.Item key={p.id} onClick={() => change({ assignee_id: p.id })}>
                    {p.name}
                  </Menu.Item>
                ))}
              <Menu.Divider />
              <Menu.Item onClick={() => change({ assignee_id: 0 })}>{t('issues.nobody')}</Menu.Item>
            </Menu.Dropdown>
          </Menu>
          <Menu position="bottom-start">
            <Menu.Target>
              <Button
                variant="default"
                leftSection={<IconBellOff size={15} />}
                rightSection={<IconChevronDown size={14} />}
                loading={busy}
              >
                {t('silences.silence')}
              </Button>
            </Menu.Target>
            <Menu.Dropdown>
              {[1, 4, 24].map((hours) => (
                <Menu.Item key={hours} onClick={() => silence(hours)}>
                  {t('silences.for_hours', { hours })}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
          {picked.length > 1 && (
            <Button
              variant="default"
              leftSection={<IconGitMerge size={15} />}
              loading={busy}
              onClick={() => setMerging(true)}
            >
              {t('incidents.bulk.merge')}
            </Button>
          )}
        </>
      )}
      <Confirm
        opened={merging}
        title={t('incidents.bulk.merge_title', { id: into?.id })}
        verb={t('incidents.bulk.merge')}
        onClose={() => setMerging(false)}
        onConfirm={merge}
      >
        {t('incidents.bulk.merge_means', { title: into?.title })}
      </Confirm>
    </div>
  );
}
