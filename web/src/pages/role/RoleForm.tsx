import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { roleQuery, updateRole } from '../../api/roles.ts';
import type { Role, RoleEdit } from '../../api/types.ts';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import { type Draft, draftOf, editIn } from '../roles/draft.ts';
import { RoleFields } from '../roles/RoleFields.tsx';
import classes from './Role.module.css';

/**
 * The role as it is stored, until the first keystroke; from then on a draft
 * that stands on the version it began with, whatever is loaded meanwhile.
 */
export function RoleForm({ role }: { role: Role }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [draft, setDraft] = useState<Draft & { version: number }>();
  const stale = draft !== undefined && draft.version !== role.version;
  const edit = draft && editIn(draft);
  const save = useMutation({
    mutationFn: ({ version, edit }: { version: number; edit: RoleEdit }) => updateRole(role.code, version, edit),
    onSuccess: (saved) => {
      client.setQueryData(roleQuery(role.code).queryKey, saved);
      setDraft(undefined);
      toastDone(t('roles.saved', { version: saved.version }));
      void client.invalidateQueries({ queryKey: ['roles'] });
    },
    onError: (error) => {
      // Somebody was faster: the newer version is loaded, and the form says whose it is.
      if (asProblem(error).reason === 'conflict') void client.invalidateQueries({ queryKey: ['roles'] });
      else toastProblem(error);
    },
  });
  return (
    <form
      className={`panel form ${classes.edit}`}
      onSubmit={(event) => {
        event.preventDefault();
        if (draft && edit) save.mutate({ version: draft.version, edit });
      }}
    >
      <RoleFields
        draft={draft ?? draftOf(role)}
        onChange={(next) => setDraft({ ...next, version: draft?.version ?? role.version })}
      />
      <div className={classes.end}>
        {stale && (
          <div className={classes.stale} role="alert">
            <IconAlertTriangle size={18} aria-hidden />
            <div>{t('roles.stale', { name: role.updated_by, version: role.version, base: draft.version })}</div>
            <Link to="/roles/$role" params={{ role: role.code }} search={{ tab: 'history' }}>
              {t('roles.see_change')}
            </Link>
            <Button variant="default" onClick={() => setDraft(undefined)}>
              {t('roles.reload')}
            </Button>
          </div>
        )}
        <div className={classes.buttons}>
          {draft && !stale && (
            <Button variant="default" onClick={() => setDraft(undefined)}>
              {t('roles.discard')}
            </Button>
          )}
          <Button type="submit" loading={save.isPending} disabled={!edit || stale}>
            {t('action.save')}
          </Button>
        </div>
      </div>
    </form>
  );
}
