import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FormModal } from '../../parts/FormModal.tsx';
import { OPTIONAL_ADDRESS } from './wishes.ts';

interface Props {
  kind: string;
  address: string;
  busy: boolean;
  onSave: (address: string) => void;
  onClose: () => void;
}

/** Where a kind of channel reaches the reader. */
export function WayForm({ kind, address: old, busy, onSave, onClose }: Props) {
  const { t } = useTranslation();
  const [address, setAddress] = useState(old);
  return (
    <FormModal
      title={t(`channels.kind.${kind as 'slack'}`, kind)}
      busy={busy}
      onSubmit={() => onSave(address.trim())}
      onClose={onClose}
    >
      <TextInput
        label={t('notifications.address')}
        description={t(`notifications.hint.${kind as 'slack'}`, '')}
        required={!OPTIONAL_ADDRESS.includes(kind)}
        maxLength={254}
        value={address}
        onChange={(e) => setAddress(e.currentTarget.value)}
      />
    </FormModal>
  );
}
