import { MultiSelect, Select, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Organisation, PersonalRule, Way } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { ConditionFields, TYPED } from '../../parts/notify/ConditionFields.tsx';
import { slim } from '../../parts/notify/conditions.ts';

interface Props {
  /** Absent to make a new one. */
  rule?: PersonalRule;
  ways: Way[];
  orgs: Organisation[];
  zone: string;
  busy: boolean;
  onSave: (rule: PersonalRule) => void;
  onClose: () => void;
}

/** What the reader wants to be told of, by which of their ways. */
export function RuleForm({ rule, ways, orgs, zone, busy, onSave, onClose }: Props) {
  const { t } = useTranslation();
  const [edit, setEdit] = useState<PersonalRule>(() => rule ?? { name: '', ways: ways.map(({ kind }) => kind) });
  const set = (part: Partial<PersonalRule>) => setEdit((old) => ({ ...old, ...part }));
  return (
    <FormModal
      title={t(rule ? 'notifications.edit_rule' : 'notifications.add_rule')}
      busy={busy}
      size="lg"
      onSubmit={() => onSave(slim(edit))}
      onClose={onClose}
    >
      <TextInput
        label={t('channels.column.name')}
        required
        maxLength={100}
        value={edit.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <Select
        label={t('notifications.organisation')}
        data={[
          { value: '0', label: t('notifications.all_orgs') },
          ...orgs.map(({ id, name }) => ({ value: String(id), label: name })),
        ]}
        value={String(edit.organisation_id ?? 0)}
        allowDeselect={false}
        onChange={(id) => set({ organisation_id: Number(id) || undefined })}
      />
      <Switch
        label={t('notifications.assigned')}
        checked={edit.assigned ?? false}
        onChange={(e) => set({ assigned: e.currentTarget.checked || undefined })}
      />
      <Switch
        label={t('notifications.owned')}
        description={t('notifications.owned_hint')}
        checked={edit.owned ?? false}
        onChange={(e) => set({ owned: e.currentTarget.checked || undefined })}
      />
      <ConditionFields of={edit} zone={zone} onChange={set} />
      <MultiSelect
        classNames={TYPED}
        label={t('notifications.by')}
        required
        withAsterisk
        data={ways.map(({ kind }) => ({ value: kind, label: t(`channels.kind.${kind as 'slack'}`, kind) }))}
        value={edit.ways ?? []}
        onChange={(kinds) => set({ ways: kinds })}
      />
    </FormModal>
  );
}
