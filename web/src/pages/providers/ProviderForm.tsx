import { Select, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createProvider, providerKindsQuery, updateProvider } from '../../api/providers.ts';
import type { ModelService } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { isName, wrongURL } from './draft.ts';

interface Props {
  /** Whose it is: an organisation's, or 0. */
  org: number;
  /** Absent to add one. */
  provider?: ModelService;
  onClose: () => void;
}

/** Everything of a provider but its keys, which are never read back. */
export function ProviderForm({ org, provider, onClose }: Props) {
  const { t } = useTranslation();
  const { data: kinds = [] } = useQuery(providerKindsQuery(org));
  const [name, setName] = useState(provider?.name ?? '');
  const [kind, setKind] = useState(provider?.kind ?? '');
  const [address, setAddress] = useState(provider?.base_url ?? '');
  const [inHouse, setInHouse] = useState(provider?.in_house ?? false);
  const [enabled, setEnabled] = useState(provider?.enabled ?? true);
  const [tried, setTried] = useState(false);
  const edit = { kind, base_url: address.trim(), in_house: inHouse, enabled };
  const save = useChange(() => (provider ? updateProvider(provider, edit) : createProvider(org, { name, ...edit })), {
    refresh: ['providers'],
    also: ['circuits'],
    done: t('providers.saved'),
    onDone: onClose,
  });
  const wrongName = !provider && !isName(name);
  const wrong = wrongURL(address.trim());
  return (
    <FormModal
      title={provider ? t('providers.edit', { name: provider.name }) : t('providers.add')}
      busy={save.isPending}
      onSubmit={() => {
        setTried(true);
        if (!wrongName && !wrong && kind) save.mutate(undefined);
      }}
      onClose={onClose}
    >
      {!provider && (
        <TextInput
          label={t('providers.name')}
          description={t(org ? 'providers.own.name_hint' : 'providers.name_hint')}
          required
          data-autofocus
          autoComplete="off"
          maxLength={63}
          error={tried && wrongName && t('providers.name_wrong')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value.trim())}
        />
      )}
      <Select
        label={t('providers.kind')}
        description={t('providers.kind_hint')}
        required
        allowDeselect={false}
        data={kinds}
        value={kind || null}
        onChange={(next) => setKind(next ?? '')}
      />
      <TextInput
        label={t('providers.base_url')}
        description={t(org ? 'providers.own.base_url_hint' : 'providers.base_url_hint')}
        autoComplete="off"
        maxLength={500}
        error={tried && wrong && t(`providers.base_url_wrong.${wrong}`)}
        value={address}
        onChange={(e) => setAddress(e.currentTarget.value)}
      />
      <Switch
        label={t('providers.in_house')}
        description={t(org ? 'providers.own.in_house_hint' : 'providers.in_house_hint')}
        checked={inHouse}
        onChange={(e) => setInHouse(e.currentTarget.checked)}
      />
      <Switch
        label={t('providers.enabled')}
        description={t(org ? 'providers.own.enabled_hint' : 'providers.enabled_hint')}
        checked={enabled}
        onChange={(e) => setEnabled(e.currentTarget.checked)}
      />
    </FormModal>
  );
}
