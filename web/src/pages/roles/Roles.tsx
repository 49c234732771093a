import { Button, Skeleton } from '@mantine/core';
import { IconFlask2, IconPencil, IconPlus, IconSparkles, IconWorld } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { labelsQuery, rolesQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import type { Role } from '../../api/types.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { OwnerSelect, useOwner } from '../../parts/OwnerSelect.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import badges from '../../parts/State.module.css';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { MakeOwn } from '../role/SharedRole.tsx';
import { inProduction, labelsOf } from '../role/standing.ts';
import { NewRole } from './NewRole.tsx';
import classes from './Roles.module.css';

/** The roles models are asked in: what they are told, which models, with which parameters. */
export function Roles() {
  const { t } = useTranslation();
  const [making, setMaking] = useState(false);
  const { data: me } = useQuery(meQuery);
  const navigate = useNavigate();
  const owner = useOwner(useSearch({ from: '/home/roles' }).org);
  const org = owner?.org ?? 0;
  const { data: roles, error, isPending, refetch } = useQuery({ ...rolesQuery(org), enabled: owner !== undefined });
  useTitle(t('nav.roles'));
  const problem = me && !owner ? new Problem(403) : error;
  const shared = (each: Role) => each.owner !== org;
  // One that the organisation has its own of is not what its calls get.
  const hidden = (each: Role) => shared(each) && roles?.some((own) => own.owner === org && own.code === each.code);
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.roles')}</h1>
        {owner && (
          <div className="row">
            <OwnerSelect org={org} onChange={(next) => void navigate({ to: '/roles', search: { org: next } })} />
            <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
              {t('roles.add')}
            </Button>
          </div>
        )}
      </div>
      <p className="lead">{t(org === 0 ? 'roles.lead' : 'roles.lead_org')}</p>
      <section className="panel" aria-busy={isPending && !problem}>
        {problem && !roles ? (
          <Failure error={problem} retry={problem === error ? () => void refetch() : undefined} />
        ) : roles?.length === 0 ? (
          <Empty icon={IconSparkles} title={t('roles.none')}>
            <p>{t('roles.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('roles.code')}</th>
                <th>{t('roles.description')}</th>
                <th>{t('roles.chain')}</th>
                <th>{t('roles.in_production')}</th>
                <th>{t('roles.changed')}</th>
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {isPending && <SkeletonRows rows={2} columns={5} />}
              {roles
                ?.filter((each) => !hidden(each))
                .map((each) => (
                  <tr key={`${each.owner}/${each.code}`} className="link">
                    <td>
                      <Link className="row-link" to="/roles/$role" params={{ role: each.code }} search={{ org }}>
                        {each.name || <code>{each.code}</code>}
                      </Link>
                      {each.name && (
                        <div className={classes.second}>
                          <code>{each.code}</code>
                        </div>
                      )}
                    </td>
                    <td>{each.description}</td>
                    <td>
                      {each.chain?.length ? (
                        each.chain.map((entry) => `${entry.provider} · ${entry.model}`).join(' → ')
                      ) : (
                        <span className="dim">{t('roles.default_chain')}</span>
                      )}
                    </td>
                    <td>
                      {shared(each) ? (
                        <div className={classes.marks}>
                          {t('versions.one', { version: each.version })}
                          <span className={badges.badge} data-tone="info">
                            <IconWorld size={14} aria-hidden />
                            {t('roles.shared')}
                          </span>
                        </div>
                      ) : (
                        <Production role={each} />
                      )}
                    </td>
                    <td className="nowrap">
                      {shared(each) ? (
                        <MakeOwn org={org} code={each.code} small />
                      ) : (
                        <>
                          <When at={each.updated_at} /> <span className="dim">{each.updated_by}</span>
                        </>
                      )}
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        )}
      </section>
      {making && <NewRole org={org} onClose={() => setMaking(false)} />}
    </div>
  );
}

/** The version that answers, whether a later one waits, and whether another answers a share. */
function Production({ role }: { role: Role }) {
  const { t } = useTranslation();
  const { data: labels, error } = useQuery(labelsQuery(role));
  if (error && !labels) return <span className="dim">{t('roles.labels_unknown')}</span>;
  if (!labels) return <Skeleton height={12} width={90} />;
  const production = inProduction(labels);
  const waiting = labelsOf(role.version, labels).length === 0;
  return (
    <div className={classes.marks}>
      {production ? t('versions.one', { version: production.version }) : <span className="dim">{'–'}</span>}
      {production !== undefined && production.canary_version > 0 && (
        <span className={badges.badge} data-tone="info">
          <IconFlask2 size={14} aria-hidden />
          {t('labels.canary_of', { version: production.canary_version, share: production.canary_share })}
        </span>
      )}
      {waiting && (
        <span className={badges.badge} data-tone="warning">
          <IconPencil size={14} aria-hidden />
          {t('roles.draft_ahead', { version: role.version })}
        </span>
      )}
    </div>
  );
}
