import { Autocomplete, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createUser, type Membership, type Place, setMember, usersQuery } from '../../api/people.ts';
import { meQuery } from '../../api/session.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { givenOf, RoleSelect } from './RoleSelect.tsx';
import { usePlaceName } from './usePlaceName.ts';

interface Props {
  /** Where the reader may give roles, the first unless chosen otherwise. */
  places: Place[];
  /** Absent to add somebody. */
  membership?: Membership;
  /** The first password of an account that was made on the way. */
  onPassword: (password: string) => void;
  onClose: () => void;
}

/** Gives an account a role. A system admin can make the account on the way. */
export function MemberForm({ places, membership, onPassword, onClose }: Props) {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const client = useQueryClient();
  const placeName = usePlaceName();
  const { data: users } = useQuery({ ...usersQuery, enabled: me.user.system });
  const [typed, setTyped] = useState(membership?.member.email ?? '');
  const [name, setName] = useState('');
  const [role, setRole] = useState(
    membership?.member.role === 'custom'
      ? `custom-${membership.member.role_id}`
      : (membership?.member.role ?? 'viewer'),
  );
  const [group, setGroup] = useState(membership?.place.group ?? places[0]?.group);
  const place = places.find((p) => p.group === group);
  const email = typed.trim().toLowerCase();
  const unknown = users !== undefined && email.includes('@') && !users.some((u) => u.email === email);
  const save = useChange(
    async () => {
      if (!place) return;
      // The password is shown whatever becomes of the role: nobody can ask for it again.
      if (unknown) {
        onPassword((await createUser(email, name)).password);
        await client.invalidateQueries({ queryKey: usersQuery.queryKey });
      }
      await setMember(place, email, givenOf(role));
    },
    { refresh: ['members'], also: ['me'], done: t('members.saved'), onDone: onClose },
  );
  return (
    <FormModal
      title={t(membership ? 'members.edit' : 'members.add')}
      verb={t(unknown ? 'members.create_and_add' : membership ? 'action.save' : 'action.add')}
      busy={save.isPending}
      size="sm"
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <Autocomplete
        label={t('login.email')}
        type="email"
        size="xs"
        required
        maxLength={254}
        autoComplete="off"
        disabled={membership !== undefined}
        data-autofocus
        data={(users ?? []).filter((u) => !u.disabled).map((u) => u.email)}
        value={typed}
        onChange={setTyped}
      />
      {unknown && (
        <>
          <p className="soft" style={{ margin: 0 }} role="status">
            {t('members.unknown')}
          </p>
          <TextInput
            label={t('settings.name')}
            maxLength={100}
            placeholder={email.split('@')[0]}
            value={name}
            onChange={(e) => setName(e.currentTarget.value)}
          />
        </>
      )}
      <Select
        label={t('settings.through')}
        allowDeselect={false}
        disabled={membership !== undefined}
        data={places.map((p) => ({ value: String(p.group), label: placeName(p) }))}
        value={String(group)}
        onChange={(value) => value && setGroup(Number(value))}
      />
      <RoleSelect place={place} value={role} onChange={setRole} />
    </FormModal>
  );
}
