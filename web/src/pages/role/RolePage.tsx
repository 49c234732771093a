import { Button, Skeleton, Tabs } from '@mantine/core';
import { IconChevronRight, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { deleteRole, roleQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import type { Role, RoleVersion } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Mono } from '../../parts/Mono.tsx';
import { useOwner } from '../../parts/OwnerSelect.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { draftOf } from '../roles/draft.ts';
import { History } from './History.tsx';
import { Labels } from './Labels.tsx';
import classes from './Role.module.css';
import { RoleForm, type Writing } from './RoleForm.tsx';
import { SharedRole } from './SharedRole.tsx';
import { Standing } from './Standing.tsx';
import { roleLink } from './standing.ts';
import { TryOut } from './TryOut.tsx';

const ROUTE = '/home/roles/$role';

/** One role: its latest version, to be edited, which versions calls use, and every version it had. */
export function RolePage() {
  const { t } = useTranslation();
  const { role: code } = useParams({ from: ROUTE });
  const { org } = useSearch({ from: ROUTE });
  const { data: me } = useQuery(meQuery);
  const owner = useOwner(org);
  const {
    data: role,
    error,
    refetch,
  } = useQuery({
    ...roleQuery({ owner: owner?.org ?? 0, code }),
    enabled: owner !== undefined,
  });
  useTitle(role?.name || code, t('nav.roles'));
  const problem = me && !owner ? new Problem(403) : error;

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
  // Where an organisation has no role of its own, it sees the installation's and may copy it.
  if (owner && owner.org !== role.owner) return <SharedRole org={owner.org} role={role} />;
  return <Loaded key={`${role.owner}/${code}`} role={role} />;
}

function Loaded({ role }: { role: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { tab = 'edit' } = useSearch({ from: ROUTE });
  const [draft, setDraft] = useState<Writing>();
  const [copying, setCopying] = useState<RoleVersion>();
  const copy = (old: RoleVersion) => {
    setDraft({ ...draftOf(old), version: role.version, copied: old.version });
    void navigate(roleLink(role));
  };
  return (
    <div className="page">
      <div className={classes.crumbs}>
        <Link to="/roles" search={{ org: role.owner }}>
          {t('nav.roles')}
        </Link>
        <IconChevronRight size={14} aria-hidden />
        <span>{t('versions.one', { version: role.version })}</span>
      </div>
      <div className="page-head">
        <h1>{role.name || role.code}</h1>
        <Delete role={role} />
      </div>
      <p className={classes.about}>
        {role.name && (
          <>
            <Mono text={role.code} />{' '}
          </>
        )}
        {role.description}{' '}
        <span className="dim">
          {t('roles.changed_by', { name: role.updated_by })} <When at={role.updated_at} />
        </span>
      </p>
      <Standing role={role} />
      <Tabs
        value={tab}
        onChange={(next) =>
          void navigate({
            to: '.',
            search: (old) => ({
              ...old,
              tab: next === 'history' || next === 'labels' || next === 'try' ? next : undefined,
              version: undefined,
              against: undefined,
            }),
            replace: true,
          })
        }
      >
        <Tabs.List mb={16}>
          <Tabs.Tab value="edit">{t('roles.tab.edit')}</Tabs.Tab>
          <Tabs.Tab value="try">{t('roles.tab.try')}</Tabs.Tab>
          <Tabs.Tab value="labels">{t('roles.tab.labels')}</Tabs.Tab>
          <Tabs.Tab value="history">{t('roles.tab.history')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="edit">
          <RoleForm role={role} draft={draft} onDraft={setDraft} />
        </Tabs.Panel>
        <Tabs.Panel value="try">{tab === 'try' && <TryOut role={role} draft={draft} />}</Tabs.Panel>
        <Tabs.Panel value="labels">{tab === 'labels' && <Labels role={role} />}</Tabs.Panel>
        <Tabs.Panel value="history">
          {tab === 'history' && <History role={role} onCopy={(old) => (draft ? setCopying(old) : copy(old))} />}
        </Tabs.Panel>
      </Tabs>
      <Confirm
        opened={copying !== undefined}
        title={t('roles.copy_title', { version: copying?.version })}
        verb={t('roles.copy')}
        onClose={() => setCopying(undefined)}
        onConfirm={() => {
          if (copying) copy(copying);
          setCopying(undefined);
        }}
      >
        {t('roles.copy_means')}
      </Confirm>
    </div>
  );
}

function Delete({ role }: { role: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const owner = useOwner(role.owner);
  const [asking, setAsking] = useState(false);
  const removal = useChange(() => deleteRole(role), {
    refresh: ['roles'],
    done: t('roles.deleted'),
    onDone: () => void navigate({ to: '/roles', search: { org: role.owner } }),
  });
  return (
    <>
      <Button
        variant="default"
        leftSection={<IconTrash size={15} />}
        disabled={owner?.role === 'editor'}
        title={owner?.role === 'editor' ? t('roles.delete_refused') : undefined}
        onClick={() => setAsking(true)}
      >
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
        {t(role.owner === 0 ? 'roles.delete_means' : 'roles.delete_own_means')}
      </Confirm>
    </>
  );
}
