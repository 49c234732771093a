import { PasswordInput, Select, Switch, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelKindsQuery, createChannel, updateChannel } from '../../api/project.ts';
import type { Channel, ChannelEdit } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { configOf } from './config.ts';

interface Field {
  name: string;
  secret?: boolean;
  required?: boolean;
  placeholder?: string;
}

// What each kind of channel asks for. A secret that was stored reads as
// ********; sent back like that, the server keeps it.
const FIELDS: Record<string, Field[]> = {
  console: [],
  webhook: [
    { name: 'url', required: true, placeholder: 'https://' },
    { name: 'secret', secret: true, required: true },
  ],
  slack: [
    { name: 'webhook_url', secret: true, placeholder: 'https://hooks.slack.com/services/…' },
    { name: 'token', secret: true, placeholder: 'xoxb-…' },
    { name: 'channel', placeholder: '#ops' },
  ],
};

/** A channel being edited; what its kind may be set to is a flat list of texts. */
type Edit = Omit<ChannelEdit, 'config'> & { config: Record<string, unknown> };

interface Props {
  project: number;
  /** Absent to make a new one. */
  channel?: Channel;
  onClose: () => void;
}

export function ChannelForm({ project, channel, onClose }: Props) {
  const { t } = useTranslation();
  const { data: kinds } = useQuery(channelKindsQuery);
  const [edit, setEdit] = useState<Edit>(() =>
    channel
      ? { kind: channel.kind, name: channel.name, enabled: channel.enabled, config: configOf(channel) }
      : { kind: 'slack', name: '', enabled: true, config: {} },
  );
  const set = (part: Partial<Edit>) => setEdit((old) => ({ ...old, ...part }));
  const save = useChange(
    () => (channel ? updateChannel(project, channel.id, channel.version, edit) : createChannel(project, edit)),
    {
      refresh: ['channels', project],
      done: t('channels.saved'),
      onDone: onClose,
    },
  );
  return (
    <FormModal
      title={channel ? t('channels.edit') : t('channels.add')}
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <Select
        label={t('channels.column.kind')}
        data={(kinds ?? Object.keys(FIELDS)).map((kind) => ({
          value: kind,
          label: t(`channels.kind.${kind as 'slack'}`, kind),
        }))}
        value={edit.kind}
        disabled={channel !== undefined}
        allowDeselect={false}
        onChange={(kind) => kind && set({ kind, config: {} })}
      />
      <TextInput
        label={t('channels.column.name')}
        required
        maxLength={100}
        value={edit.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      {(FIELDS[edit.kind] ?? []).map(({ name, secret, required, placeholder }) => {
        const Input = secret ? PasswordInput : TextInput;
        return (
          <Input
            key={name}
            label={t(`channels.field.${name as 'url'}`)}
            description={t(`channels.hint.${name as 'url'}`)}
            autoComplete="off"
            required={required}
            placeholder={placeholder}
            value={String(edit.config[name] ?? '')}
            onChange={(e) => set({ config: filled({ ...edit.config, [name]: e.currentTarget.value.trim() }) })}
          />
        );
      })}
      <Switch
        label={t('channels.field.enabled')}
        checked={edit.enabled}
        onChange={(e) => set({ enabled: e.currentTarget.checked })}
      />
    </FormModal>
  );
}

/** Without the fields left empty: an empty value is not a setting. */
const filled = (config: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));
