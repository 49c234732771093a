import { MultiSelect, NumberInput, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createRule, updateRule } from '../../api/project.ts';
import type { Channel, Rule, RuleEdit } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';

const FRESH: RuleEdit = {
  name: '',
  kind: 'slow_sql',
  enabled: true,
  service: '',
  environment: '',
  params: { threshold_ms: 8000 },
  count: 1,
  window_minutes: 10,
  quiet_minutes: 10,
  channels: [],
};

interface Props {
  project: number;
  /** Absent to make a new one. */
  rule?: Rule;
  channels: Channel[];
  onClose: () => void;
}

export function RuleForm({ project, rule, channels, onClose }: Props) {
  const { t } = useTranslation();
  const [edit, setEdit] = useState<RuleEdit>(() => (rule ? pick(rule) : FRESH));
  const set = (part: Partial<RuleEdit>) => setEdit((old) => ({ ...old, ...part }));
  const save = useChange(() => (rule ? updateRule(project, rule.id, rule.version, edit) : createRule(project, edit)), {
    refresh: ['rules', project],
    done: t('rules.saved'),
    onDone: onClose,
  });
  const number = (name: 'count' | 'window_minutes' | 'quiet_minutes', min: number, max: number, unit?: string) => (
    <NumberInput
      label={t(`rules.field.${name}`)}
      required
      min={min}
      max={max}
      thousandSeparator=","
      suffix={unit}
      allowDecimal={false}
      value={edit[name]}
      onChange={(value) => set({ [name]: Number(value) })}
    />
  );
  return (
    <FormModal
      title={rule ? t('rules.edit') : t('rules.add')}
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('rules.field.name')}
        required
        maxLength={100}
        data-autofocus
        value={edit.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <div className="pair">
        <NumberInput
          label={t('rules.field.threshold_ms')}
          required
          min={100}
          max={3_600_000}
          thousandSeparator=","
          suffix=" ms"
          allowDecimal={false}
          value={Number(edit.params.threshold_ms)}
          onChange={(value) => set({ params: { threshold_ms: Number(value) } })}
        />
        {number('count', 1, 10_000)}
        {number('window_minutes', 1, 1440, ' min')}
        {number('quiet_minutes', 1, 1440, ' min')}
      </div>
      <div className="pair">
        <TextInput
          label={t('rules.field.service')}
          placeholder={t('rules.any_service')}
          value={edit.service}
          onChange={(e) => set({ service: e.currentTarget.value.trim() })}
        />
        <TextInput
          label={t('rules.field.environment')}
          placeholder={t('rules.any_environment')}
          value={edit.environment}
          onChange={(e) => set({ environment: e.currentTarget.value.trim() })}
        />
      </div>
      <MultiSelect
        label={t('rules.field.channels')}
        placeholder={edit.channels?.length ? undefined : t('rules.all_channels')}
        data={channels.map((c) => ({ value: String(c.id), label: c.name }))}
        value={(edit.channels ?? []).map(String)}
        onChange={(ids) => set({ channels: ids.map(Number) })}
      />
      <Switch
        label={t('rules.field.enabled')}
        checked={edit.enabled}
        onChange={(e) => set({ enabled: e.currentTarget.checked })}
      />
      <p className="soft" style={{ margin: 0 }}>
        {t('rules.condition', {
          ms: Number(edit.params.threshold_ms).toLocaleString('en-US'),
          count: edit.count,
          minutes: edit.window_minutes,
        })}
      </p>
    </FormModal>
  );
}

/** Only what is edited: the API refuses fields it does not know. */
function pick(rule: Rule): RuleEdit {
  const { name, enabled, service, environment, params, count, window_minutes, quiet_minutes, channels } = rule;
  return {
    name,
    kind: 'slow_sql',
    enabled,
    service,
    environment,
    params,
    count,
    window_minutes,
    quiet_minutes,
    channels,
  };
}
