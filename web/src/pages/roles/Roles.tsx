import { Button } from '@mantine/core';
import { IconPlus, IconSparkles } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { rolesQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { NewRole } from './NewRole.tsx';

/** The roles models are asked in: what they are told, which models, with which parameters. */
export function Roles() {
  const { t } = useTranslation();
  const [making, setMaking] = useState(false);
  const { data: me } = useQuery(meQuery);
  const { data: roles, error, isPending, refetch } = useQuery({ ...rolesQuery, enabled: me?.user.system ?? false });
  useTitle(t('nav.roles'));
  const problem = me && !me.user.system ? new Problem(403) : error;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.roles')}</h1>
        {me?.user.system && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
            {t('roles.add')}
          </Button>
        )}
      </div>
      <p className="lead">{t('roles.lead')}</p>
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
                <th className="num">{t('roles.version')}</th>
                <th>{t('roles.changed')}</th>
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {isPending && <SkeletonRows rows={2} columns={5} />}
              {roles?.map((each) => (
                <tr key={each.code} className="link">
                  <td>
                    <Link className="row-link" to="/roles/$role" params={{ role: each.code }}>
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
      {making && <NewRole onClose={() => setMaking(false)} />}
    </div>
  );
}
