import { ActionIcon, Button, Checkbox, Select, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DashboardDocument, DashboardVariable } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';

const KINDS = ['service', 'environment', 'label', 'custom'] as const;

interface Props {
  document: DashboardDocument;
  onDone: (document: DashboardDocument) => void;
  onClose: () => void;
}

/** The name of a dashboard, what it is for, and its variables. */
export function AboutForm({ document, onDone, onClose }: Props) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(document);
  const set = (next: Partial<DashboardDocument>) => setDraft((old) => ({ ...old, ...next }));
  const setVariable = (i: number, next: Partial<DashboardVariable>) =>
    set({ variables: draft.variables.map((v, at) => (at === i ? { ...v, ...next } : v)) });
  return (
    <FormModal
      title={t('dashboard.about')}
      busy={false}
      size="lg"
      verb={t('dashboard.apply')}
      onSubmit={() => onDone(draft)}
      onClose={onClose}
    >
      <TextInput
        label={t('dashboard.name')}
        required
        maxLength={100}
        value={draft.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <Textarea
        label={t('dashboard.description')}
        autosize
        maxLength={1000}
        value={draft.description ?? ''}
        onChange={(e) => set({ description: e.currentTarget.value })}
      />
      <h3>{t('dashboard.variables')}</h3>
      {draft.variables.map((variable, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a variable is its place
        <fieldset key={i} className="row" style={{ border: 0, margin: 0, padding: 0, flexWrap: 'wrap' }}>
          <TextInput
            w={120}
            required
            pattern="[a-zA-Z_][a-zA-Z0-9_]*"
            aria-label={t('dashboard.variable_name')}
            placeholder={t('dashboard.variable_name')}
            value={variable.name}
            onChange={(e) => setVariable(i, { name: e.currentTarget.value })}
          />
          <Select
            w={130}
            allowDeselect={false}
            aria-label={t('dashboard.variable_kind')}
            data={KINDS.map((value) => ({ value, label: t(`dashboard.from.${value}`) }))}
            value={variable.kind}
            onChange={(kind) => setVariable(i, { kind: kind as DashboardVariable['kind'] })}
          />
          {variable.kind === 'label' && (
            <>
              <TextInput
                w={120}
                required
                aria-label={t('dashboard.label')}
                placeholder={t('dashboard.label')}
                value={variable.label ?? ''}
                onChange={(e) => setVariable(i, { label: e.currentTarget.value })}
              />
              <TextInput
                w={150}
                aria-label={t('dashboard.metric')}
                placeholder={t('dashboard.metric')}
                value={variable.metric ?? ''}
                onChange={(e) => setVariable(i, { metric: e.currentTarget.value })}
              />
            </>
          )}
          {variable.kind === 'custom' && (
            <TextInput
              w={270}
              required
              aria-label={t('dashboard.values')}
              placeholder={t('dashboard.values')}
              value={(variable.values ?? []).join(',')}
              onChange={(e) =>
                setVariable(i, { values: e.currentTarget.value ? e.currentTarget.value.split(',') : undefined })
              }
            />
          )}
          <Checkbox
            label={t('dashboard.with_all')}
            checked={variable.all ?? false}
            onChange={(e) => setVariable(i, { all: e.currentTarget.checked })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={`${t('action.delete')}: ${variable.name}`}
            onClick={() => set({ variables: draft.variables.filter((_, at) => at !== i) })}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </fieldset>
      ))}
      <Button
        variant="subtle"
        size="compact-sm"
        w="max-content"
        leftSection={<IconPlus size={15} />}
        onClick={() => set({ variables: [...draft.variables, { name: '', kind: 'service' }] })}
      >
        {t('dashboard.add_variable')}
      </Button>
    </FormModal>
  );
}
