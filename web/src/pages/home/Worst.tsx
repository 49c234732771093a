import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { hostsQuery } from '../../api/hosts.ts';
import { incidentsQuery } from '../../api/incidents.ts';
import { issuesQuery } from '../../api/issues.ts';
import type { Following } from '../../api/pages.ts';
import { servicesQuery } from '../../api/services.ts';
import type { Service } from '../../api/types.ts';
import { duration, lasted } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { simpleType } from '../../format/type.ts';
import { Bars } from '../../parts/Bars.tsx';
import { Sparkline } from '../../parts/chart/Sparkline.tsx';
import { Health, useReason } from '../../parts/Health.tsx';
import { HostReason } from '../../parts/HostReason.tsx';
import { IssueState } from '../../parts/IssueState.tsx';
import { State } from '../../parts/State.tsx';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import { Part, Row } from './Part.tsx';

interface Props {
  project: number;
  following: Following;
}

const SHOWN = 5;
/** Services in trouble; healthy ones only fill up to SHOWN, so that what else is wrong stays in sight. */
const SERVICES = 10;

/** What people were alarmed about and is not over, whatever its age. */
export function OpenIncidents({ project, following }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const list = useInfiniteQuery(incidentsQuery(project, 'open', '', { pausedAt: following.pausedAt }));
  const items = list.data?.pages[0]?.items ?? [];
  return (
    <Part
      title={t('incidents.open_ones')}
      query={list}
      quiet={t('incidents.none_open')}
      all={{
        link: { to: '/projects/$project/incidents', params: { project: String(project) } },
        total: list.data?.pages[0]?.total ?? 0,
      }}
      waiting={1}
      rows={items.slice(0, SHOWN).map((incident) => (
        <Row
          key={incident.id}
          state={<State incident={incident} />}
          link={{
            to: '/projects/$project/incidents/$incident',
            params: { project: String(project), incident: String(incident.id) },
          }}
          title={incident.title}
          second={`${t('incidents.rule', { id: incident.id, rule: incident.rule.name })} · ${incident.service}`}
          figure={lasted(now - Date.parse(incident.opened_at), i18n.language)}
          aside={
            <>
              <When at={incident.opened_at} />
              <div className="clip">{incident.acknowledged_by || t('incidents.nobody')}</div>
            </>
          }
        />
      ))}
    />
  );
}

/** Services by health, the worst first, with the reason in words. */
export function WorstServices({ project, following }: Props) {
  const { t } = useTranslation();
  const list = useQuery(servicesQuery(project, { sort: 'worst' }, following));
  const items = list.data?.items ?? [];
  const bad = items.filter((s) => s.health.state === 'critical' || s.health.state === 'warning').length;
  return (
    <Part
      title={t('nav.services')}
      query={list}
      about={
        items.length > 0 && (
          <span className="soft">{bad > 0 ? t('home.bad', { n: count(bad) }) : t('home.all_well')}</span>
        )
      }
      quiet={t('services.none')}
      all={{
        link: { to: '/projects/$project/services', params: { project: String(project) } },
        total: list.data?.total ?? 0,
      }}
      waiting={SHOWN}
      rows={items
        .slice(0, Math.min(Math.max(bad, SHOWN), SERVICES))
        .map((item) => <ServiceRow key={item.service} item={item} project={project} />)}
    />
  );
}

function ServiceRow({ item, project }: { item: Service; project: number }) {
  const { t } = useTranslation();
  const reason = useReason(item);
  const { now, spark, health } = item;
  return (
    <Row
      state={<Health state={health.state} />}
      link={{
        to: '/projects/$project/services/$service',
        params: { project: String(project), service: item.service },
      }}
      title={item.service}
      second={reason || item.environments.join(' · ') || t('services.no_environment')}
      tone={reason ? health.state : undefined}
      shape={<Sparkline values={spark.p95_ns} />}
      figure={now.count > 0 && t('health.reason.slow', { value: duration(now.p95_ns) })}
      aside={
        now.count > 0 && (
          <>
            <div>{rate(now.per_second)}</div>
            <div>{t('health.reason.errors', { value: percent(now.error_share) })}</div>
          </>
        )
      }
    />
  );
}

/** Errors nobody has dealt with yet: never seen before, or back after they were resolved. */
export function FreshErrors({ project, following }: Props) {
  const { t } = useTranslation();
  const list = useInfiniteQuery(
    issuesQuery(project, { state: 'open', sort: 'last_seen', q: 'state:new OR state:regressed' }, following),
  );
  const items = list.data?.pages[0]?.items ?? [];
  return (
    <Part
      title={t('home.fresh_errors')}
      query={list}
      quiet={t('home.no_fresh_errors')}
      all={{
        link: { to: '/projects/$project/issues', params: { project: String(project) } },
        total: list.data?.pages[0]?.total ?? 0,
      }}
      waiting={2}
      rows={items.slice(0, SHOWN).map((item) => (
        <Row
          key={item.id}
          state={<IssueState state={item.state} />}
          link={{
            to: '/projects/$project/issues/$issue',
            params: { project: String(project), issue: String(item.id) },
          }}
          title={simpleType(item.type) || t('issues.no_type')}
          also={item.message}
          second={[item.services.join(', '), item.culprit].filter(Boolean).join(' · ')}
          shape={<Bars bars={item.bars} label={t('issues.bars', { n: count(item.count) })} />}
          figure={t('home.times', { n: count(item.count) })}
          aside={<When at={item.last_seen} />}
        />
      ))}
    />
  );
}

/** Machines in trouble. Absent where no machine is known at all. */
export function TroubledHosts({ project, following }: Props) {
  const { t } = useTranslation();
  const list = useQuery(hostsQuery(project, { sort: 'worst' }, following));
  const bad = (list.data?.items ?? []).filter((h) => h.health.reason);
  if (list.data?.total === 0) return null;
  return (
    <Part
      title={t('nav.hosts')}
      query={list}
      about={<span className="soft">{t('home.bad', { n: count(bad.length) })}</span>}
      quiet={t('home.hosts_well')}
      all={{
        link: { to: '/projects/$project/hosts', params: { project: String(project) } },
        total: list.data?.total ?? 0,
      }}
      waiting={1}
      rows={bad.slice(0, SHOWN).map((host) => (
        <Row
          key={host.host}
          state={<Health state={host.health.state} />}
          link={{ to: '/projects/$project/hosts/$host', params: { project: String(project), host: host.host } }}
          title={host.host}
          second={<HostReason of={host} />}
          tone={host.health.state}
          shape={<Sparkline values={host.spark.load} tone="s8" />}
          figure={host.load !== null && t('home.load', { load: host.load.toFixed(2) })}
          aside={
            <>
              <When at={host.last_seen} />
              <div className="clip">{host.services.map((s) => s.service).join(' · ')}</div>
            </>
          }
        />
      ))}
    />
  );
}
