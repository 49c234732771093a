import { Button, Tooltip } from '@mantine/core';
import { IconCheck, IconChevronRight, IconRefresh, IconUserCheck } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { act, type IncidentAction, incidentQuery } from '../../api/incidents.ts';
import { meQuery } from '../../api/session.ts';
import type { Incident } from '../../api/types.ts';
import { lasted } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { absolute } from '../../format/time.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Copy } from '../../parts/Copy.tsx';
import head from '../../parts/ObjectHead.module.css';
import { State } from '../../parts/State.tsx';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import classes from './Incident.module.css';

/** What is broken, since when, how often, where, and who is on it. */
export function Head({ incident }: { incident: Incident }) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const params = { project: String(incident.project_id) };
  const end = incident.resolved_at ? Date.parse(incident.resolved_at) : now;
  return (
    <header className={head.head}>
      <div className={head.crumbs}>
        <Link to="/projects/$project/incidents" params={params}>
          {t('nav.incidents')}
        </Link>
        <IconChevronRight size={14} aria-hidden />
        <span>{`#${incident.id}`}</span>
        <Copy
          text={`${window.location.origin}/projects/${incident.project_id}/incidents/${incident.id}`}
          what={t('copy.link')}
        />
      </div>
      <div className={`${head.titleRow} ${classes.titleRow}`}>
        <State incident={incident} />
        <h1>{incident.title}</h1>
        <Actions incident={incident} />
      </div>
      <dl className={`${head.answers} ${classes.answers}`}>
        <Answer label={t('incident.since')}>
          <strong>{absolute(incident.opened_at).slice(0, 16)}</strong>
          <span className="dim">
            <When at={incident.opened_at} />
          </span>
        </Answer>
        <Answer label={t(incident.resolved_at ? 'incident.lasted' : 'incident.lasting')}>
          <strong>{lasted(end - Date.parse(incident.opened_at), i18n.language)}</strong>
          <span className="dim">
            {t('incident.last_match')} <When at={incident.last_match_at} />
          </span>
        </Answer>
        <Answer label={t('incident.where')}>
          <strong>{incident.service}</strong>
          <Instances incident={incident} />
        </Answer>
        <Answer label={t('incident.matches')}>
          <strong>{t('incident.times', { times: count(incident.matches) })}</strong>
          <span className="dim">{incident.rule.name}</span>
        </Answer>
        <Answer label={t('incident.who')}>
          <strong>{incident.acknowledged_by || t('incidents.nobody')}</strong>
          {incident.resolved_at && (
            <span className="dim">
              {incident.resolved_by
                ? t('incident.resolved_by', { name: incident.resolved_by })
                : t('incident.resolved_itself')}
            </span>
          )}
        </Answer>
      </dl>
    </header>
  );
}

function Answer({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Instances({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const instances = incident.instances ?? [];
  const [worst] = instances;
  if (!worst) return <span className="dim">{incident.phase}</span>;
  const all = instances.map((i) => `${i.name}: ${i.count}`).join('\n');
  return (
    <Tooltip label={<span className={classes.lines}>{all}</span>}>
      <span className="dim clip">
        {instances.length === 1
          ? worst.name
          : t('incident.instances', { name: worst.name, more: instances.length - 1 })}
      </span>
    </Tooltip>
  );
}

function Actions({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [asking, setAsking] = useState(false);
  const mutation = useIncidentAction(incident);
  const analysing = incident.analysis === 'pending' || incident.analysis === 'running';
  if (!canWrite) return <span className={classes.readOnly}>{t('incident.read_only')}</span>;
  return (
    <div className={classes.actions}>
      {incident.state === 'open' && !incident.acknowledged_by && (
        <Button leftSection={<IconUserCheck size={15} />} onClick={() => mutation.mutate('acknowledge')}>
          {t('action.acknowledge')}
        </Button>
      )}
      <Button
        variant="default"
        leftSection={<IconRefresh size={15} />}
        loading={analysing}
        onClick={() => mutation.mutate('analyze')}
      >
        {t('action.analyze')}
      </Button>
      {incident.state === 'open' && (
        <Button variant="default" leftSection={<IconCheck size={15} />} onClick={() => setAsking(true)}>
          {t('action.resolve')}
        </Button>
      )}
      <Confirm
        opened={asking}
        title={t('incident.resolve_title', { id: incident.id })}
        verb={t('action.resolve')}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false);
          mutation.mutate('resolve');
        }}
      >
        {t('incident.resolve_means')}
      </Confirm>
    </div>
  );
}

/** Shows the outcome at once and takes it back when the server refuses. */
function useIncidentAction(incident: Incident) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const { data: me } = useQuery(meQuery);
  const { queryKey } = incidentQuery(incident.project_id, incident.id);
  const outcome: Record<IncidentAction, () => Partial<Incident>> = {
    acknowledge: () => ({ acknowledged_by: me?.user.name ?? '' }),
    resolve: () => ({ state: 'resolved', resolved_at: new Date().toISOString() }),
    analyze: () => ({ analysis: 'pending' }),
  };
  return useMutation({
    mutationFn: (action: IncidentAction) => act(incident.project_id, incident.id, action),
    onMutate: async (action) => {
      await client.cancelQueries({ queryKey });
      const before = client.getQueryData(queryKey);
      client.setQueryData(queryKey, (old) => old && { ...old, ...outcome[action]() });
      return { before };
    },
    onSuccess: (_, action) => toastDone(t(`incident.done.${action}`)),
    onError: (error, _, context) => {
      client.setQueryData(queryKey, context?.before);
      toastProblem(error);
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey });
      void client.invalidateQueries({ queryKey: ['incidents', incident.project_id] });
    },
  });
}
