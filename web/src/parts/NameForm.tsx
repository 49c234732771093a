import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FormModal } from './FormModal.tsx';

interface Props {
  title: string;
  /** The name as it is, when it is being changed. */
  name?: string;
  busy: boolean;
  onSubmit: (name: string) => void;
  onClose: () => void;
}

/** Asks for a name: of something new, or a better one. */
export function NameForm({ title, name: present = '', busy, onSubmit, onClose }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState(present);
  return (
    <FormModal
      title={title}
      verb={t(present ? 'action.save' : 'action.add')}
      busy={busy}
      size="sm"
      onSubmit={() => onSubmit(name)}
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
    </FormModal>
  );
}
