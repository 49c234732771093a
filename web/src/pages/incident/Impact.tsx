import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { impactQuery } from '../../api/incidents.ts';
import type { Affected, Incident } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Failure } from '../../parts/Failure.tsx';
import { When } from '../../parts/When.tsx';
import classes from './Incident.module.css';

/** Whom and what the incident met, and which versions were new before it. */
export function Impact({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(
    impactQuery(incident.project_id, incident.id, !incident.resolved_at, usePausedAt()),
  );
  return (
    <section aria-labelledby="impact">
      <h2 id="impact" className={classes.heading}>
        {t('impact.title')}
      </h2>
      <div className={`panel ${classes.impact}`} aria-busy={!data && !error}>
        {error && !data ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : data ? (
          <Told impact={data} incident={incident} />
        ) : (
          <Skeleton height={96} />
        )}
      </div>
    </section>
  );
}

function Told({ impact, incident }: { impact: Affected; incident: Incident }) {
  const { t } = useTranslation();
  const endpoints = impact.endpoints ?? [];
  const versions = impact.versions ?? [];
  const share = impact.transactions > 0 ? (impact.failed / impact.transactions) * 100 : 0;
  return (
    <>
      <dl className={classes.figures}>
        <div>
          <dt>{t('impact.transactions')}</dt>
          <dd>{count(impact.transactions)}</dd>
        </div>
        <div>
          <dt>{t('impact.failed')}</dt>
          <dd>
            {count(impact.failed)} <span className="dim">{`${share.toFixed(share < 10 ? 1 : 0)}%`}</span>
          </dd>
        </div>
        <div>
          <dt>{t('impact.users')}</dt>
          <dd>
            {impact.users > 0 ? count(impact.users) : '–'}{' '}
            <span className="dim">
              {impact.users > 0 ? t('impact.failed_users', { n: count(impact.failed_users) }) : t('impact.no_users')}
            </span>
          </dd>
        </div>
      </dl>
      {endpoints.length > 0 && (
        <table className="table">
          <thead>
            <tr>
              <th>{t('impact.endpoint')}</th>
              <th className="num">{t('impact.transactions')}</th>
              <th className="num">{t('impact.failed')}</th>
              <th className="num">{t('impact.slowest')}</th>
            </tr>
          </thead>
          <tbody>
            {endpoints.slice(0, 5).map((e) => (
              <tr key={e.endpoint}>
                <td className="clip">
                  <Link
                    to="/projects/$project/transactions"
                    params={{ project: String(incident.project_id) }}
                    search={{ service: incident.service, endpoint: e.endpoint, from: impact.from, to: impact.to }}
                  >
                    {e.endpoint}
                  </Link>
                </td>
                <td className="num">{count(e.transactions)}</td>
                <td className="num">{count(e.failed)}</td>
                <td className="num">{duration(e.slowest_ns)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <p className={classes.versions}>
        {versions.length === 0 ? (
          <span className="dim">{t('impact.no_versions')}</span>
        ) : (
          versions.slice(0, 3).map((v) => (
            <span key={v.version}>
              {t('impact.version', { version: v.version, before: v.before })} <When at={v.first_seen} />
            </span>
          ))
        )}
      </p>
    </>
  );
}
