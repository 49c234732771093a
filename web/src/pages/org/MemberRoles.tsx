import { Button, Checkbox, TextInput } from '@mantine/core';
import { IconCheck, IconInfoCircle, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  createMemberRole,
  deleteMemberRole,
  memberRolesQuery,
  permissionsQuery,
  updateMemberRole,
} from '../../api/people.ts';
import { mayGive, meQuery } from '../../api/session.ts';
import type { OrgRole, Permission } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import classes from './Org.module.css';

/** Under which name the catalogue has a permission. */
const labelOf = (code: string) => code.replace('.', '_') as 'org_read';

const BUILTIN = ['owner', 'admin', 'editor', 'viewer'] as const;

/** Which role may do what: the one table, with the organisation's own roles beside the product's. */
export function MemberRoles({ org, canAdmin }: { org: number; canAdmin: boolean }) {
  const { t } = useTranslation();
  const table = useQuery(permissionsQuery);
  const own = useQuery(memberRolesQuery(org));
  const [editing, setEditing] = useState<OrgRole | 'new'>();
  const [deleting, setDeleting] = useState<OrgRole>();
  const removal = useChange(deleteMemberRole, { refresh: ['member-roles', org], done: t('member_roles.deleted') });
  const failed = table.error && !table.data ? table : own.error && !own.data ? own : undefined;
  if (failed) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  const made = own.data ?? [];
  return (
    <section className={classes.part} aria-label={t('member_roles.title')}>
      <div className="page-head">
        <h2>{t('member_roles.title')}</h2>
        {canAdmin && table.data && (
          <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
            {t('member_roles.add')}
          </Button>
        )}
      </div>
      <p className="lead">{t('member_roles.lead')}</p>
      <div className="panel scroll-x" aria-busy={table.isPending || own.isPending}>
        <table className="table">
          <thead>
            <tr>
              <th>{t('member_roles.permission')}</th>
              {BUILTIN.map((role) => (
                <th key={role} className={classes.held}>
                  {t(`settings.roles.${role}`)}
                </th>
              ))}
              {made.map((role) => (
                <th key={role.id} className={classes.held}>
                  {role.name}
                  {canAdmin && (
                    <div className="row-actions">
                      <RowAction
                        icon={IconPencil}
                        label={t('member_roles.edit')}
                        of={role.name}
                        onClick={() => setEditing(role)}
                      />
                      <RowAction
                        icon={IconTrash}
                        label={t('action.delete')}
                        of={role.name}
                        onClick={() => setDeleting(role)}
                      />
                    </div>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {!table.data && <SkeletonRows rows={8} columns={5} />}
            {table.data?.map((permission) => (
              <tr key={permission.code}>
                <th scope="row" className={classes.permission}>
                  {t(`permissions.${labelOf(permission.code)}`)}
                </th>
                {BUILTIN.map((role) => (
                  <Held key={role} yes={permission.builtin.includes(role)} />
                ))}
                {made.map((role) => (
                  <Held key={role.id} yes={role.permissions.includes(permission.code)} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {editing && table.data && (
        <RoleForm
          org={org}
          table={table.data}
          role={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('member_roles.delete_title', { name: deleting?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('member_roles.delete_means')}
      </Confirm>
    </section>
  );
}

function Held({ yes }: { yes: boolean }) {
  const { t } = useTranslation();
  return (
    <td className={classes.held}>
      {yes ? (
        <IconCheck size={16} color="var(--mx-ok)" role="img" aria-label={t('member_roles.holds')} />
      ) : (
        <span className="dim" role="img" aria-label={t('member_roles.lacks')}>
          {'–'}
        </span>
      )}
    </td>
  );
}

interface FormProps {
  org: number;
  table: Permission[];
  /** Absent to make one. */
  role?: OrgRole;
  onClose: () => void;
}

function RoleForm({ org, table, role, onClose }: FormProps) {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const [name, setName] = useState(role?.name ?? '');
  const [held, setHeld] = useState<string[]>(role?.permissions ?? ['org.read', 'project.read']);
  const save = useChange(() => (role ? updateMemberRole(role, name, held) : createMemberRole(org, name, held)), {
    refresh: ['member-roles', org],
    also: ['members'],
    done: t('member_roles.saved'),
    onDone: onClose,
  });
  return (
    <FormModal
      title={t(role ? 'member_roles.edit' : 'member_roles.add')}
      verb={t(role ? 'action.save' : 'action.add')}
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('settings.name')}
        required
        maxLength={100}
        data-autofocus
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      {role && role.members > 0 && (
        <p className="note">
          <IconInfoCircle size={15} aria-hidden />
          {t('member_roles.changes_all', { count: role.members })}
        </p>
      )}
      <Checkbox.Group label={t('member_roles.permission')} value={held} onChange={setHeld}>
        <div className={classes.choices}>
          {table
            .filter((p) => p.custom)
            .map((p) => (
              <Checkbox
                key={p.code}
                value={p.code}
                size="xs"
                label={t(`permissions.${labelOf(p.code)}`)}
                disabled={p.code === 'org.read' || !mayGive(me, org, 0, [p.code])}
              />
            ))}
        </div>
      </Checkbox.Group>
      <p className="soft" style={{ margin: 0 }}>
        {t('member_roles.needs')}
      </p>
    </FormModal>
  );
}
