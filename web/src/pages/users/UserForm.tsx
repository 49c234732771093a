import { Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createUser, updateUser } from '../../api/people.ts';
import type { User, UserChange } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';

/** Makes an account; who did it is shown its first password. */
export function NewAccount({ onMade, onClose }: { onMade: (password: string) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const make = useChange(() => createUser(email.trim(), name), {
    refresh: ['users'],
    onDone: (made) => onMade(made.password),
  });
  return (
    <FormModal
      title={t('users.add')}
      verb={t('action.add')}
      busy={make.isPending}
      size="sm"
      onSubmit={() => make.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('login.email')}
        type="email"
        required
        maxLength={254}
        autoComplete="off"
        data-autofocus
        value={email}
        onChange={(e) => setEmail(e.currentTarget.value)}
      />
      <TextInput
        label={t('settings.name')}
        maxLength={100}
        placeholder={email.split('@')[0]}
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
    </FormModal>
  );
}

/** Renames an account, makes it a system admin, or closes it. */
export function UserForm({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation();
  const [edit, setEdit] = useState<UserChange>({ name: user.name, system: user.system, disabled: user.disabled });
  const set = (part: Partial<UserChange>) => setEdit((old) => ({ ...old, ...part }));
  const save = useChange(() => updateUser(user, edit), {
    refresh: ['users'],
    also: ['me'],
    done: t('users.saved'),
    onDone: onClose,
  });
  return (
    <FormModal
      title={user.email}
      busy={save.isPending}
      size="sm"
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('settings.name')}
        required
        maxLength={100}
        data-autofocus
        value={edit.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <Switch
        label={t('users.system')}
        description={t('users.system_means')}
        checked={edit.system}
        onChange={(e) => set({ system: e.currentTarget.checked })}
      />
      <Switch
        label={t('users.may_log_in')}
        description={t('users.may_log_in_means')}
        checked={!edit.disabled}
        onChange={(e) => set({ disabled: !e.currentTarget.checked })}
      />
    </FormModal>
  );
}
