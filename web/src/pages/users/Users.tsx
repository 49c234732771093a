import { Button } from '@mantine/core';
import {
  IconCircleCheck,
  IconCircleDashed,
  IconDeviceMobileOff,
  IconDevices,
  IconPencil,
  IconPlus,
  IconShieldCheck,
  IconShieldLock,
  IconUserSearch,
} from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { usersQuery } from '../../api/people.ts';
import { meQuery } from '../../api/session.ts';
import { resetSecondFactor } from '../../api/signin.ts';
import type { User } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { NewAccount, UserForm } from './UserForm.tsx';
import { UserSessions } from './UserSessions.tsx';

/** Every account of this installation. */
export function Users() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q = '' } = useSearch({ from: '/home/users' });
  const { data: me } = useSuspenseQuery(meQuery);
  const { data: users, error, isPending, refetch } = useQuery(usersQuery);
  const [making, setMaking] = useState(false);
  const [editing, setEditing] = useState<User>();
  const [password, setPassword] = useState<string>();
  const [sessionsOf, setSessionsOf] = useState<User>();
  const [resetting, setResetting] = useState<User>();
  const reset = useChange((user: User) => resetSecondFactor(user.id), {
    refresh: ['users'],
    done: t('users.totp_reset'),
  });
  useTitle(t('nav.users'));
  const rows = users?.filter((u) => holds(q, u.name, u.email));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.users')}</h1>
        {users && (
          <>
            <Filter
              label={t('members.filter')}
              value={q}
              onChange={(next) =>
                void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true })
              }
            />
            <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
              {t('users.add')}
            </Button>
          </>
        )}
      </div>
      <section className="panel" aria-busy={isPending}>
        {error && !users ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : rows?.length === 0 ? (
          <Empty icon={IconUserSearch} title={t('members.no_match')}>
            <p>{t('members.no_match_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('settings.name')}</th>
                <th>{t('login.email')}</th>
                <th>{t('users.rights')}</th>
                <th>{t('settings.state')}</th>
                <th>{t('settings.created')}</th>
                <th aria-label={t('settings.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={6} columns={6} />}
              {rows?.map((user) => (
                <tr key={user.id} className={user.disabled ? 'off' : undefined}>
                  <td>
                    <strong>{user.name}</strong>{' '}
                    {user.id === me.user.id && <span className="dim">{t('users.me')}</span>}
                  </td>
                  <td>{user.email}</td>
                  <td>
                    {user.system && (
                      <span className="row">
                        <IconShieldCheck size={15} aria-hidden />
                        {t('users.system')}
                      </span>
                    )}
                    {user.second_factor && (
                      <span className="row">
                        <IconShieldLock size={15} aria-hidden />
                        {t('totp.title')}
                      </span>
                    )}
                  </td>
                  <td>
                    <span className="row">
                      {user.disabled ? (
                        <IconCircleDashed size={15} aria-hidden />
                      ) : (
                        <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
                      )}
                      {t(user.disabled ? 'users.disabled' : 'users.enabled')}
                    </span>
                  </td>
                  <td>
                    <When at={user.created_at} />
                  </td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconDevices}
                        label={t('users.sessions')}
                        of={user.email}
                        onClick={() => setSessionsOf(user)}
                      />
                      {user.second_factor && (
                        <RowAction
                          icon={IconDeviceMobileOff}
                          label={t('users.reset_totp')}
                          of={user.email}
                          onClick={() => setResetting(user)}
                        />
                      )}
                      <RowAction
                        icon={IconPencil}
                        label={t('action.edit')}
                        of={user.email}
                        onClick={() => setEditing(user)}
                      />
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {users && rows && rows.length > 0 && (
          <div className="foot">{t('list.shown', { shown: count(rows.length), total: count(users.length) })}</div>
        )}
      </section>
      {making && (
        <NewAccount
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            setPassword(made);
          }}
        />
      )}
      {editing && <UserForm user={editing} onClose={() => setEditing(undefined)} />}
      {sessionsOf && <UserSessions user={sessionsOf} onClose={() => setSessionsOf(undefined)} />}
      <Confirm
        opened={resetting !== undefined}
        title={t('users.reset_totp_title', { email: resetting?.email })}
        verb={t('users.reset_totp')}
        danger
        onClose={() => setResetting(undefined)}
        onConfirm={() => {
          if (resetting) reset.mutate(resetting);
          setResetting(undefined);
        }}
      >
        {t('users.reset_totp_means')}
      </Confirm>
      {password && (
        <Shown title={t('users.first_password')} secret={password} onClose={() => setPassword(undefined)}>
          {t('users.first_password_means')}
        </Shown>
      )}
    </div>
  );
}
