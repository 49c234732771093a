import { Button } from '@mantine/core';
import { IconInfoCircle, IconPencil, IconPlus, IconTrash, IconUsers } from '@tabler/icons-react';
import { useQueries, useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Membership, membersQuery, type Place, removeMember } from '../../api/people.ts';
import { asProblem } from '../../api/problem.ts';
import { mayAdmin, meQuery } from '../../api/session.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { MemberForm } from './MemberForm.tsx';
import { usePlaceName } from './usePlaceName.ts';

/** Who has a role in these places, and what it is. A place whose list the reader may not see is named as such. */
export function Members({ places }: { places: Place[] }) {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const placeName = usePlaceName();
  const [typed, setTyped] = useState('');
  const [editing, setEditing] = useState<Membership | 'new'>();
  const [removing, setRemoving] = useState<Membership>();
  const [password, setPassword] = useState<string>();
  const lists = useQueries({ queries: places.map(membersQuery) });
  const removal = useChange(({ place, member }: Membership) => removeMember(place, member.user_id), {
    refresh: ['members'],
    also: ['me'],
    done: t('members.removed'),
  });
  const hidden = places.filter((_, i) => asProblem(lists[i]?.error).reason === 'denied');
  const failed = lists.find((l) => l.error && !l.data && asProblem(l.error).reason !== 'denied');
  if (failed) return <Failure error={failed.error} retry={() => void Promise.all(lists.map((l) => l.refetch()))} />;

  // A personal organisation has the one member it is made for.
  const team = (place: Place) => me.orgs.find((o) => o.id === place.org)?.kind === 'team';
  const mine = places.filter((place) => team(place) && mayAdmin(me, place.org, place.group));
  const waiting = lists.some((l) => l.isPending);
  const all = places.flatMap((place, i) => (lists[i]?.data ?? []).map((member): Membership => ({ place, member })));
  const rows = all.filter(({ member }) => holds(typed, member.name, member.email));
  return (
    <>
      <div className="page-head">
        <h2>{t('settings.tab.members')}</h2>
        <Filter label={t('members.filter')} value={typed} onChange={setTyped} />
        {mine.length > 0 && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
            {t('members.add')}
          </Button>
        )}
      </div>
      {hidden.map((place) => (
        <p key={place.group} className="note">
          <IconInfoCircle size={15} aria-hidden />
          {t('members.hidden', { place: placeName(place) })}
        </p>
      ))}
      <section className="panel" aria-busy={waiting}>
        {!waiting && rows.length === 0 ? (
          <Empty icon={IconUsers} title={t(typed ? 'members.no_match' : 'members.none')}>
            <p>{t(typed ? 'members.no_match_hint' : 'members.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('settings.name')}</th>
                <th>{t('login.email')}</th>
                <th>{t('settings.role')}</th>
                <th>{t('settings.through')}</th>
                <th>{t('settings.since')}</th>
                <th aria-label={t('settings.actions')} />
              </tr>
            </thead>
            <tbody>
              {waiting && <SkeletonRows rows={3} columns={6} />}
              {!waiting &&
                rows.map((row) => (
                  <tr key={`${row.place.group}-${row.member.user_id}`}>
                    <td>
                      <strong>{row.member.name}</strong>
                    </td>
                    <td>{row.member.email}</td>
                    <td>
                      {row.member.role === 'custom' ? row.member.role_name : t(`settings.roles.${row.member.role}`)}
                    </td>
                    <td className="soft">{placeName(row.place)}</td>
                    <td>
                      <When at={row.member.created_at} />
                    </td>
                    <td>
                      {mine.includes(row.place) && (
                        <div className="row-actions">
                          <RowAction
                            icon={IconPencil}
                            label={t('members.edit')}
                            of={`${row.member.email}, ${placeName(row.place)}`}
                            onClick={() => setEditing(row)}
                          />
                          <RowAction
                            icon={IconTrash}
                            label={t('members.remove')}
                            of={`${row.member.email}, ${placeName(row.place)}`}
                            onClick={() => setRemoving(row)}
                          />
                        </div>
                      )}
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        )}
      </section>
      {editing && (
        <MemberForm
          places={mine}
          membership={editing === 'new' ? undefined : editing}
          onPassword={setPassword}
          onClose={() => setEditing(undefined)}
        />
      )}
      {password && (
        <Shown title={t('users.first_password')} secret={password} onClose={() => setPassword(undefined)}>
          {t('users.first_password_means')}
        </Shown>
      )}
      <Confirm
        opened={removing !== undefined}
        title={t('members.remove_title', { name: removing?.member.name })}
        verb={t('members.remove')}
        danger
        onClose={() => setRemoving(undefined)}
        onConfirm={() => {
          if (removing) removal.mutate(removing);
          setRemoving(undefined);
        }}
      >
        {t(removing?.place.group ? 'members.remove_group_means' : 'members.remove_org_means')}
      </Confirm>
    </>
  );
}
