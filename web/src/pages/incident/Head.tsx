import { Tooltip } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Incident } from '../../api/types.ts';
import { lasted } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { absolute } from '../../format/time.ts';
import { Copy } from '../../parts/Copy.tsx';
import head from '../../parts/ObjectHead.module.css';
import { State } from '../../parts/State.tsx';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import { Actions } from './Actions.tsx';
import classes from './Incident.module.css';
import { Notices } from './Notices.tsx';
import { Owner, SeveritySelect } from './Owner.tsx';

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
        <SeveritySelect incident={incident} />
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
          <Owner incident={incident} />
          {!incident.resolved_at && incident.acknowledged_by && (
            <span className="dim">{t('incident.acknowledged_by', { name: incident.acknowledged_by })}</span>
          )}
          {incident.resolved_at && (
            <span className="dim">
              {incident.resolved_by
                ? t('incident.resolved_by', { name: incident.resolved_by })
                : t('incident.resolved_itself')}
            </span>
          )}
        </Answer>
      </dl>
      <Notices incident={incident} />
      {(incident.owner || incident.runbook) && (
        <p className={classes.about}>
          {incident.owner && <span>{t('incident.owner', { name: incident.owner })}</span>}
          {incident.runbook && (
            <a href={incident.runbook} target="_blank" rel="noreferrer">
              {t('incident.runbook')}
            </a>
          )}
        </p>
      )}
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
