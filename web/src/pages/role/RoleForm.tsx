import { Button } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { labelsQuery, roleQuery, updateRole } from '../../api/roles.ts';
import type { Role, RoleChange } from '../../api/types.ts';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import { type Draft, draftOf, editIn } from '../roles/draft.ts';
import { RoleFields } from '../roles/RoleFields.tsx';
import classes from './Role.module.css';
import { SaveDialog } from './SaveDialog.tsx';
import { inProduction, roleLink } from './standing.ts';
import { useGuard } from './useGuard.ts';

/** What is being written, on the version it began with, and the old version it was copied from. */
export type Writing = Draft & { version: number; copied?: number };

interface Props {
  role: Role;
  draft?: Writing;
  onDraft: (draft?: Writing) => void;
}

/**
 * The role as it is stored, until the first keystroke; from then on a draft
 * that stands on the version it began with, whatever is loaded meanwhile.
 */
export function RoleForm({ role, draft, onDraft }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [saving, setSaving] = useState<'release' | 'draft'>();
  const refused = useGuard(role)(inProduction(useQuery(labelsQuery(role)).data ?? []));
  const stale = draft !== undefined && draft.version !== role.version;
  const edit = draft && editIn(draft);
  const save = useMutation({
    mutationFn: ({ version, change }: { version: number; change: RoleChange }) => updateRole(role, version, change),
    onSuccess: (saved, { change }) => {
      client.setQueryData(roleQuery(role).queryKey, saved);
      onDraft(undefined);
      toastDone(t(change.draft ? 'roles.saved_draft' : 'roles.saved', { version: saved.version }));
      void client.invalidateQueries({ queryKey: ['roles'] });
    },
    onError: (error) => {
      // Somebody was faster: the newer version is loaded, and the form says whose it is.
      if (asProblem(error).reason === 'conflict') void client.invalidateQueries({ queryKey: ['roles'] });
      else toastProblem(error);
    },
    onSettled: () => setSaving(undefined),
  });
  return (
    <>
      <form
        className={`panel form ${classes.edit}`}
        onSubmit={(event) => {
          event.preventDefault();
          const by = (event.nativeEvent as SubmitEvent).submitter as HTMLButtonElement | null;
          if (edit) setSaving(by?.value === 'draft' || refused ? 'draft' : 'release');
        }}
      >
        <RoleFields
          org={role.owner}
          draft={draft ?? draftOf(role)}
          onChange={(next) => onDraft({ ...next, version: draft?.version ?? role.version, copied: draft?.copied })}
        />
        <div className={classes.end}>
          {stale && (
            <div className={classes.stale} role="alert">
              <IconAlertTriangle size={18} aria-hidden />
              <div>{t('roles.stale', { name: role.updated_by, version: role.version, base: draft.version })}</div>
              <Link {...roleLink(role, { tab: 'history' })}>{t('roles.see_change')}</Link>
              <Button variant="default" onClick={() => onDraft(undefined)}>
                {t('roles.reload')}
              </Button>
            </div>
          )}
          <div className={classes.buttons}>
            {draft?.copied && !stale && (
              <span className={classes.copied}>{t('roles.copied', { version: draft.copied })}</span>
            )}
            {refused && (
              <span className={classes.copied} id="release-refused">
                {refused}
              </span>
            )}
            {draft && !stale && (
              <Button variant="subtle" onClick={() => onDraft(undefined)}>
                {t('roles.discard')}
              </Button>
            )}
            <Button type="submit" value="draft" variant={refused ? 'filled' : 'default'} disabled={!edit || stale}>
              {t('roles.save_draft')}
            </Button>
            <Button
              type="submit"
              value="release"
              variant={refused ? 'default' : 'filled'}
              disabled={!edit || stale || refused !== undefined}
              aria-describedby={refused ? 'release-refused' : undefined}
            >
              {t('roles.save_release')}
            </Button>
          </div>
        </div>
      </form>
      {saving && draft && edit && (
        <SaveDialog
          role={role}
          draft={saving === 'draft'}
          busy={save.isPending}
          onSave={(notes) =>
            save.mutate({ version: draft.version, change: { ...edit, notes, draft: saving === 'draft' } })
          }
          onClose={() => setSaving(undefined)}
        />
      )}
    </>
  );
}
