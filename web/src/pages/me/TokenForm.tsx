import { MultiSelect, Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { NewToken } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';

const SCOPES = [
  'project.read',
  'project.write',
  'project.admin',
  'ai.ask',
  'ai.model',
  'org.read',
  'org.admin',
  'data.unmasked',
];
const DAYS = ['7', '30', '90', '365'];

interface Props {
  create: (name: string, scopes: string[], expiresAt: string) => Promise<NewToken>;
  /** The list that the token comes into. */
  refresh: unknown[];
  /** Whether the token may be a system administrator's. */
  system?: boolean;
  onClose: () => void;
  onMade: (secret: string) => void;
}

/** Makes an API token: the reader's own, or a service account's. */
export function TokenForm({ create, refresh, system, onClose, onMade }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState(['project.read']);
  const [days, setDays] = useState('30');
  const make = useChange(() => create(name, scopes, new Date(Date.now() + Number(days) * 86_400_000).toISOString()), {
    refresh,
    onDone: (made) => onMade(made.secret),
  });
  return (
    <FormModal
      title={t('settings.add_token')}
      verb={t('action.add')}
      busy={make.isPending}
      onSubmit={() => make.mutate(undefined)}
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
      <MultiSelect
        label={t('settings.scopes')}
        required
        data={system ? [...SCOPES, 'system.admin'] : SCOPES}
        value={scopes}
        onChange={setScopes}
      />
      <Select
        label={t('settings.expires')}
        allowDeselect={false}
        data={DAYS.map((d) => ({ value: d, label: t('settings.days', { days: d }) }))}
        value={days}
        onChange={(d) => d && setDays(d)}
      />
    </FormModal>
  );
}
