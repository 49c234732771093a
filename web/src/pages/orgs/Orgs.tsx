import { Button } from '@mantine/core';
import { IconBuilding, IconPlus } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createOrg, orgsQuery } from '../../api/people.ts';
import { meQuery } from '../../api/session.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { NameForm } from '../../parts/NameForm.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';

/** The organisations the reader can see; for a system admin every team. */
export function Orgs() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q = '' } = useSearch({ from: '/home/orgs' });
  const { data: me } = useSuspenseQuery(meQuery);
  const { data: orgs, error, isPending, refetch } = useQuery(orgsQuery);
  const [making, setMaking] = useState(false);
  const make = useChange(createOrg, {
    refresh: ['orgs'],
    also: ['me'],
    done: t('orgs.made'),
    onDone: (made) => void navigate({ to: '/orgs/$org', params: { org: String(made.id) } }),
  });
  useTitle(t('nav.orgs'));
  const rows = orgs?.filter((o) => holds(q, o.name));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.orgs')}</h1>
        <Filter
          label={t('orgs.filter')}
          value={q}
          onChange={(next) =>
            void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true })
          }
        />
        {me.user.system && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
            {t('orgs.add')}
          </Button>
        )}
      </div>
      <section className="panel" aria-busy={isPending}>
        {error && !orgs ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : rows?.length === 0 ? (
          <Empty icon={IconBuilding} title={t(q ? 'members.no_match' : 'orgs.none')}>
            <p>{t(q ? 'members.no_match_hint' : 'orgs.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('settings.name')}</th>
                <th>{t('orgs.kind')}</th>
                <th>{t('settings.created')}</th>
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {isPending && <SkeletonRows rows={3} columns={3} />}
              {rows?.map((org) => (
                <tr key={org.id} className="link">
                  <td>
                    <Link className="row-link" to="/orgs/$org" params={{ org: String(org.id) }}>
                      {org.name}
                    </Link>
                  </td>
                  <td className="soft">{t(`orgs.kinds.${org.kind}`)}</td>
                  <td>
                    <When at={org.created_at} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {orgs && rows && rows.length > 0 && (
          <div className="foot">{t('list.shown', { shown: count(rows.length), total: count(orgs.length) })}</div>
        )}
      </section>
      {making && (
        <NameForm
          title={t('orgs.add')}
          busy={make.isPending}
          onSubmit={(name) => make.mutate(name)}
          onClose={() => setMaking(false)}
        />
      )}
    </div>
  );
}
