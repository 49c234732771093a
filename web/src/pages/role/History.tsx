import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { editOf, roleHistoryQuery, updateRole } from '../../api/roles.ts';
import type { Role, RoleVersion } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { toastDone } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import { Versions } from '../../parts/Versions.tsx';
import { roleText } from './roleText.ts';

/** Every version with its author, and what the chosen one changed. */
export function History({ role }: { role: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { version } = useSearch({ from: '/home/roles/$role' });
  const { data: versions, error, refetch } = useQuery(roleHistoryQuery(role.code));
  const link = (of: number) =>
    ({ to: '/roles/$role', params: { role: role.code }, search: { tab: 'history', version: of } }) as const;
  const restore = useChange((old: RoleVersion) => updateRole(role.code, role.version, editOf(old)), {
    refresh: ['roles'],
    onDone: (saved: Role, old) => {
      toastDone(t('roles.restored', { from: old.version, version: saved.version }));
      void navigate({ ...link(saved.version), replace: true });
    },
  });
  if (error && !versions) return <Failure error={error} retry={() => void refetch()} />;
  if (!versions) return <Skeleton height={320} aria-busy />;
  return (
    <Versions
      versions={versions.map((v) => ({
        version: v.version,
        at: v.updated_at,
        by: v.updated_by,
        deleted: v.deleted,
        text: roleText(v),
      }))}
      current={role.version}
      chosen={version}
      link={link}
      onRestore={(of) => {
        const old = versions.find((v) => v.version === of);
        if (old) restore.mutate(old);
      }}
      restoring={restore.isPending}
    />
  );
}
