import { IconSparkles } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { rolesQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { RoleForm } from './RoleForm.tsx';

/** The roles models are asked in: what they are told, which models, with which parameters. */
export function Roles() {
  const { t } = useTranslation();
  const { role: open } = useSearch({ from: '/home/roles' });
  const { data: me } = useQuery(meQuery);
  const { data: roles, error, isPending, refetch } = useQuery({ ...rolesQuery, enabled: me?.user.system ?? false });
  useTitle(t('nav.roles'));
  const role = roles?.find((r) => r.code === open);
  const problem = me && !me.user.system ? new Problem(403) : error;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.roles')}</h1>
      </div>
      <p className="lead">{t('roles.lead')}</p>
      <section className="panel" aria-busy={isPending}>
        {problem && !roles ? (
          <Failure error={problem} retry={problem === error ? () => void refetch() : undefined} />
        ) : roles?.length === 0 ? (
          <Empty icon={IconSparkles} title={t('roles.none')} />
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('roles.code')}</th>
                <th>{t('roles.description')}</th>
                <th>{t('roles.chain')}</th>
                <th className="num">{t('roles.version')}</th>
                <th>{t('roles.changed')}</th>
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={2} columns={5} />}
              {roles?.map((each) => (
                <tr key={each.code} className="link">
                  <td>
                    <Link className="row-link" to="/roles" search={{ role: each.code }}>
                      <code>{each.code}</code>
                    </Link>
                  </td>
                  <td>{each.description}</td>
                  <td>
                    {each.chain?.length ? (
                      each.chain.map((entry) => `${entry.provider} · ${entry.model}`).join(' → ')
                    ) : (
                      <span className="dim">{t('roles.default_chain')}</span>
                    )}
                  </td>
                  <td className="num">{each.version}</td>
                  <td className="nowrap">
                    <When at={each.updated_at} /> <span className="dim">{each.updated_by}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      {role && <RoleForm key={role.code} role={role} />}
    </div>
  );
}
