import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { meQuery, standingIn } from '../api/session.ts';
import type { Me, MemberRole } from '../api/types.ts';

/** Whose AI settings a page shows: 0 is the installation's, which all organisations share. */
export interface Owner {
  org: number;
  /** What the reader is there: a system administrator is an owner of what is shared and of every team. */
  role: MemberRole;
}

/** The owners whose settings the reader may see at least as an editor, what is shared first. */
export function ownersOf(me: Me): Owner[] {
  const shared: Owner[] = me.user.system ? [{ org: 0, role: 'owner' }] : [];
  return shared.concat(
    me.orgs.flatMap((o): Owner[] => {
      const role = standingIn(me, o.id, 0);
      return role && role !== 'viewer' ? [{ org: o.id, role }] : [];
    }),
  );
}

/** Whether the reader administers the AI settings of anybody: of the installation, or of an organisation. */
export const administersAI = (me: Me): boolean => ownersOf(me).some(administered);

const administered = ({ role }: Owner) => role === 'owner' || role === 'admin';

/** The owner that the address names, or else the first the reader has; undefined when there is none. */
export function useOwner(org: number | undefined): Owner | undefined {
  const { data: me } = useQuery(meQuery);
  const owners = me ? ownersOf(me) : [];
  return org === undefined ? owners[0] : owners.find((o) => o.org === org);
}

/** The owner that the address names, or else the first whose AI settings the reader administers. */
export function useAdministered(org: number | undefined): Owner | undefined {
  const { data: me } = useQuery(meQuery);
  const owners = me ? ownersOf(me) : [];
  return org === undefined ? (owners.find(administered) ?? owners[0]) : owners.find((o) => o.org === org);
}

/** Whether the reader edits the roles that calls of an organisation reach. */
export function useEditsRoles(org: number | undefined): boolean {
  const { data: me } = useQuery(meQuery);
  return me !== undefined && (me.user.system || ownersOf(me).some((o) => o.org === org));
}

/** Chooses whose settings are shown; nothing to see for readers with one choice. */
export function OwnerSelect({ org, onChange }: { org: number; onChange: (org: number) => void }) {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const owners = me ? ownersOf(me) : [];
  if (!me || owners.length < 2) return null;
  const name = (id: number) => (id === 0 ? t('owner.shared') : me.orgs.find((o) => o.id === id)?.name) ?? '';
  return (
    <NativeSelect
      size="sm"
      aria-label={t('owner.choose')}
      value={String(org)}
      onChange={(event) => onChange(Number(event.currentTarget.value))}
      data={owners.map((o) => ({ value: String(o.org), label: name(o.org) }))}
    />
  );
}
