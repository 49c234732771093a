import { PasswordInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { addKey, setKey } from '../../api/providers.ts';
import type { ModelService } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { isName, isSecret } from './draft.ts';
import type { KeyRow } from './health.ts';

interface Props {
  provider: ModelService;
  /** Absent to add one. */
  row?: KeyRow;
  onClose: () => void;
}

/** A new key, or another secret for one there is: it is written here and never shown again. */
export function KeyForm({ provider, row, onClose }: Props) {
  const { t } = useTranslation();
  const { name, keys } = provider;
  const [alias, setAlias] = useState(row?.alias ?? (keys.length === 0 ? 'main' : ''));
  const [secret, setSecret] = useState('');
  const [tried, setTried] = useState(false);
  const save = useChange(
    () => (row ? setKey(provider, row.alias, row.enabled, secret.trim()) : addKey(provider, alias, secret.trim())),
    {
      refresh: ['providers'],
      also: ['circuits'],
      done: t(row ? 'providers.key_replaced' : 'providers.key_added'),
      onDone: onClose,
    },
  );
  const wrongAlias = !row && !isName(alias);
  const wrongSecret = !isSecret(secret);
  return (
    <FormModal
      title={row ? t('providers.replace_key', { key: row.alias, name }) : t('providers.add_key_to', { name })}
      busy={save.isPending}
      onSubmit={() => {
        setTried(true);
        if (!wrongAlias && !wrongSecret) save.mutate(undefined);
      }}
      onClose={onClose}
    >
      {!row && (
        <TextInput
          label={t('providers.alias')}
          description={t('providers.alias_hint')}
          required
          autoComplete="off"
          maxLength={63}
          error={tried && wrongAlias && t('providers.name_wrong')}
          value={alias}
          onChange={(e) => setAlias(e.currentTarget.value.trim())}
        />
      )}
      <PasswordInput
        label={t('providers.secret')}
        description={t('providers.secret_hint')}
        required
        data-autofocus
        autoComplete="new-password"
        error={tried && wrongSecret && t('providers.secret_wrong')}
        value={secret}
        onChange={(e) => setSecret(e.currentTarget.value)}
      />
    </FormModal>
  );
}
