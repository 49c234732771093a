import { Button, Skeleton, Tabs } from '@mantine/core';
import { IconChevronRight, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { deleteRole, roleQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import type { Role } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { History } from './History.tsx';
import classes from './Role.module.css';
import { RoleForm } from './RoleForm.tsx';

const ROUTE = '/home/roles/$role';

/** One role: what it is now, to be edited, and every version it had. */
export function RolePage() {
  const { t } = useTranslation();
  const { role: code } = useParams({ from: ROUTE });
  const { data: me } = useQuery(meQuery);
  const { data: role, error, refetch } = useQuery({ ...roleQuery(code), enabled: me?.user.system ?? false });
  useTitle(code, t('nav.roles'));
  const problem = me && !me.user.system ? new Problem(403) : error;

  if (problem && !role) {
    return (
      <div className="page">
        <Failure error={problem} retry={problem === error ? () => void refetch() : undefined} />
      </div>
    );
  }
  if (!role) {
    return (
      <div className="page" aria-busy>
        <Skeleton height={20} width={120} mb={10} />
        <Skeleton height={26} width="36%" mb={14} />
        <Skeleton height={520} maw={900} />
      </div>
    );
  }
  return <Loaded key={code} role={role} />;
}

function Loaded({ role }: { role: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { tab = 'edit' } = useSearch({ from: ROUTE });
  return (
    <div className="page">
      <div className={classes.crumbs}>
        <Link to="/roles">{t('nav.roles')}</Link>
        <IconChevronRight size={14} aria-hidden />
        <span>{t('versions.one', { version: role.version })}</span>
      </div>
      <div className="page-head">
        <h1>{role.code}</h1>
        <Delete role={role} />
      </div>
      <p className={classes.about}>
        {role.description}{' '}
        <span className="dim">
          {t('roles.changed_by', { name: role.updated_by })} <When at={role.updated_at} />
        </span>
      </p>
      <Tabs
        value={tab}
        onChange={(next) =>
          void navigate({
            to: '.',
            search: (old) => ({ ...old, tab: next === 'history' ? next : undefined, version: undefined }),
            replace: true,
          })
        }
      >
        <Tabs.List mb={16}>
          <Tabs.Tab value="edit">{t('roles.tab.edit')}</Tabs.Tab>
          <Tabs.Tab value="history">{t('roles.tab.history')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="edit">
          <RoleForm role={role} />
        </Tabs.Panel>
        <Tabs.Panel value="history">{tab === 'history' && <History role={role} />}</Tabs.Panel>
      </Tabs>
    </div>
  );
}

function Delete({ role }: { role: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const removal = useChange(() => deleteRole(role), {
    refresh: ['roles'],
    done: t('roles.deleted'),
    onDone: () => void navigate({ to: '/roles' }),
  });
  return (
    <>
      <Button variant="default" leftSection={<IconTrash size={15} />} onClick={() => setAsking(true)}>
        {t('action.delete')}
      </Button>
      <Confirm
        opened={asking}
        title={t('roles.delete_title', { code: role.code })}
        verb={t('action.delete')}
        danger
        busy={removal.isPending}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false);
          removal.mutate(undefined);
        }}
      >
        {t('roles.delete_means')}
      </Confirm>
    </>
  );
}
