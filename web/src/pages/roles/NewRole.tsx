import { TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createRole } from '../../api/roles.ts';
import type { NewRole as Body, Role } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { roleLink } from '../role/standing.ts';
import { EMPTY, editIn } from './draft.ts';
import { RoleFields } from './RoleFields.tsx';

/** Makes a role and leads to its page. */
export function NewRole({ org, onClose }: { org: number; onClose: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [code, setCode] = useState('');
  const [draft, setDraft] = useState(EMPTY);
  const make = useChange((body: Body) => createRole(org, body), {
    refresh: ['roles'],
    done: t('roles.made', { code }),
    onDone: (role: Role) => void navigate(roleLink(role)),
  });
  return (
    <FormModal
      title={t('roles.add')}
      size="xl"
      busy={make.isPending}
      onSubmit={() => {
        const edit = editIn(draft);
        if (edit) make.mutate({ code, ...edit });
      }}
      onClose={onClose}
    >
      <TextInput
        label={t('roles.code')}
        description={t('roles.code_hint')}
        required
        pattern="[a-z][a-z0-9\-]{1,62}"
        data-autofocus
        value={code}
        onChange={(e) => setCode(e.currentTarget.value)}
      />
      <RoleFields org={org} draft={draft} onChange={setDraft} />
    </FormModal>
  );
}
