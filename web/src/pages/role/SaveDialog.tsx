import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { labelsQuery } from '../../api/roles.ts';
import type { Role } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { Changes } from './Changes.tsx';
import { Reason } from './MoveProduction.tsx';
import classes from './Role.module.css';
import { inProduction } from './standing.ts';

interface Props {
  role: Role;
  /** The version is stored, and no call uses it yet. */
  draft: boolean;
  busy: boolean;
  onSave: (notes: string) => void;
  onClose: () => void;
}

/** Asks why before a version is stored, and says what calls will use then. */
export function SaveDialog({ role, draft, busy, onSave, onClose }: Props) {
  const { t } = useTranslation();
  const [notes, setNotes] = useState('');
  const production = inProduction(useQuery(labelsQuery(role)).data ?? []);
  const version = role.version + 1;
  return (
    <FormModal
      title={t(draft ? 'roles.save_draft' : 'roles.save_release')}
      busy={busy}
      onSubmit={() => onSave(notes)}
      onClose={onClose}
    >
      <p className={classes.means}>
        {draft ? (
          t('roles.draft_means', { version, production: production?.version ?? '–' })
        ) : (
          <>
            <strong>
              <Changes
                from={production ?? null}
                to={{ version, canary_version: 0, canary_share: 0, protected: production?.protected ?? true }}
              />
            </strong>
            <br />
            {t('labels.move_means')}
          </>
        )}
      </p>
      <Reason value={notes} onChange={setNotes} />
    </FormModal>
  );
}
