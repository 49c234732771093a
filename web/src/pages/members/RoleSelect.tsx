import { Select } from '@mantine/core';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { memberRolesQuery, type Place, permissionsQuery } from '../../api/people.ts';
import { mayGive, meQuery } from '../../api/session.ts';
import type { GivenRole, MemberRole } from '../../api/types.ts';

const ROLES: MemberRole[] = ['viewer', 'editor', 'admin', 'owner'];

/** How a form holds a role: one of the product's, or custom-12. */
export const givenOf = (role: string): GivenRole =>
  role.startsWith('custom-')
    ? { role: 'custom', role_id: Number(role.slice('custom-'.length)) }
    : { role: role as MemberRole };

/** What a role is called, the organisation's own too. */
export function useRoleName() {
  const { t } = useTranslation();
  return ({ role, role_name }: { role: string; role_name: string }) =>
    role === 'custom' ? role_name : t(`settings.roles.${role as MemberRole}`);
}

interface Props {
  place: Place | undefined;
  value: string;
  /** For a service account, which cannot be an owner. */
  noOwner?: boolean;
  onChange: (role: string) => void;
}

/** Chooses a role among those the reader may give there: nobody gives more than they have. */
export function RoleSelect({ place, value, noOwner, onChange }: Props) {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const { data: table } = useQuery(permissionsQuery);
  const { data: own } = useQuery({ ...memberRolesQuery(place?.org ?? 0), enabled: place !== undefined });
  const gives = (permissions: readonly string[]) =>
    place !== undefined && mayGive(me, place.org, place.group, permissions);
  const held = (r: MemberRole) => (table ?? []).filter((p) => p.builtin.includes(r)).map((p) => p.code);
  const offered = ROLES.filter((r) => r === value || (gives(held(r)) && !(noOwner && r === 'owner'))).map((r) => ({
    value: r as string,
    label: t(`settings.roles.${r}`),
  }));
  const made = (own ?? [])
    .filter((r) => `custom-${r.id}` === value || gives(r.permissions))
    .map((r) => ({ value: `custom-${r.id}`, label: r.name }));
  const builtin = ROLES.find((r) => r === value);
  return (
    <Select
      label={t('settings.role')}
      description={t(`members.can.${builtin ?? 'custom'}`)}
      inputWrapperOrder={['label', 'input', 'description']}
      allowDeselect={false}
      data={[...offered, ...made]}
      value={value}
      onChange={(next) => next && onChange(next)}
    />
  );
}
