import { Button, PasswordInput, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelKindsQuery, createChannel, previewChannel, updateChannel } from '../../api/project.ts';
import type { Channel, ChannelEdit } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { toastProblem } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import classes from './Channels.module.css';
import { configOf } from './config.ts';
import { CARRIERS, FIELDS, type Field, fieldsOf, PREVIEWED } from './fields.ts';

// The help shows {{subject}} as one types it.
const LITERAL = { prefix: '<<', suffix: '>>' };

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
      ? {
          kind: channel.kind,
          name: channel.name,
          enabled: channel.enabled,
          language: language(channel.language),
          personal: channel.personal,
          config: configOf(channel),
        }
      : { kind: 'slack', name: '', enabled: true, language: '', config: {} },
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
      size="lg"
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <div className="pair">
        <Select
          label={t('channels.column.kind')}
          data={(kinds ?? Object.keys(FIELDS)).map((kind) => ({
            value: kind,
            label: t(`channels.kind.${kind as 'slack'}`, kind),
          }))}
          value={edit.kind}
          disabled={channel !== undefined}
          allowDeselect={false}
          onChange={(kind) => kind && set({ kind, config: {}, personal: false })}
        />
        <TextInput
          label={t('channels.column.name')}
          required
          maxLength={100}
          value={edit.name}
          onChange={(e) => set({ name: e.currentTarget.value })}
        />
      </div>
      <p className={classes.help} role="note">
        <IconInfoCircle size={16} aria-hidden />
        <span>{t(`channels.help.${edit.kind as 'slack'}`, { defaultValue: '', interpolation: LITERAL })}</span>
      </p>
      {fieldsOf(edit.kind).map((field) => (
        <Setting
          key={`${edit.kind}.${field.name}`}
          kind={edit.kind}
          field={field}
          value={String(edit.config[field.name] ?? '')}
          onChange={(value) => set({ config: filled({ ...edit.config, [field.name]: value }) })}
        />
      ))}
      {edit.kind === 'slack' && channel && (
        <p className="dim" style={{ margin: 0 }}>
          {t('channels.slack_request')} <code>{`${window.location.origin}/api/v1/slack/${project}/${channel.id}`}</code>
        </p>
      )}
      {PREVIEWED.includes(edit.kind) && <Preview project={project} edit={edit} />}
      <Select
        label={t('channels.language.label')}
        description={t('channels.language.hint')}
        data={[
          { value: '', label: t('channels.language.message') },
          { value: 'ko', label: '한국어' },
          { value: 'en', label: 'English' },
        ]}
        value={edit.language ?? ''}
        allowDeselect={false}
        onChange={(value) => set({ language: language(value) })}
      />
      {CARRIERS.includes(edit.kind) && (
        <Switch
          label={t('channels.personal.label')}
          description={t(`channels.personal.${edit.kind === 'slack' ? 'slack' : 'hint'}`)}
          checked={edit.personal ?? false}
          onChange={(e) => set({ personal: e.currentTarget.checked })}
        />
      )}
      <Switch
        label={t('channels.enabled')}
        checked={edit.enabled}
        onChange={(e) => set({ enabled: e.currentTarget.checked })}
      />
    </FormModal>
  );
}

interface SettingProps {
  kind: string;
  field: Field;
  value: string;
  onChange: (value: string) => void;
}

/** One field of a kind, as its sort of value asks for. */
function Setting({ kind, field, value, onChange }: SettingProps) {
  const { t } = useTranslation();
  const key = `${kind}_${field.name}` as 'slack_token';
  const shared = {
    label: t(`channels.label.${key}`),
    description: t(`channels.hint.${key}`),
    required: field.required,
    placeholder: field.placeholder,
  };
  if (field.among) {
    return (
      <Select
        {...shared}
        data={field.among.map((one) => ({ value: one, label: t(`channels.option.${one as 'us'}`, one) }))}
        value={value || field.among[0]}
        allowDeselect={false}
        onChange={(next) => onChange(next === field.among?.[0] || next === null ? '' : next)}
      />
    );
  }
  if (field.lines) {
    return (
      <Textarea
        {...shared}
        autosize
        minRows={field.lines}
        maxRows={16}
        spellCheck={false}
        classNames={{ input: classes.code }}
        value={value}
        onChange={(e) => onChange(e.currentTarget.value)}
      />
    );
  }
  const Input = field.secret ? PasswordInput : TextInput;
  return (
    <Input {...shared} autoComplete="off" value={value} onChange={(e) => onChange(e.currentTarget.value.trimStart())} />
  );
}

/** What the template makes of a sample message, before anybody gets it. */
function Preview({ project, edit }: { project: number; edit: Edit }) {
  const { t } = useTranslation();
  const preview = useMutation({
    mutationFn: () => previewChannel(project, { kind: edit.kind, config: edit.config }),
    onError: toastProblem,
  });
  return (
    <div>
      <Button variant="default" size="xs" loading={preview.isPending} onClick={() => preview.mutate()}>
        {t('channels.preview')}
      </Button>
      {preview.data && (
        <section className={classes.preview} aria-label={t('channels.preview_of')}>
          <pre>{preview.data.body}</pre>
        </section>
      )}
    </div>
  );
}

const language = (value: unknown) => (value === 'ko' || value === 'en' ? value : '');

/** Without the fields left empty: an empty value is not a setting. */
const filled = (config: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(config).filter(([, value]) => value !== ''));
