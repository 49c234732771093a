import { ActionIcon, Button, Select, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { DashboardPanel } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { PromField } from '../../parts/metric/PromField.tsx';

const KINDS = ['metric', 'traces', 'logs', 'sql', 'text'] as const;
const SHOWS: Record<DashboardPanel['kind'], readonly ('lines' | 'stat' | 'table' | 'red' | 'count' | 'histogram')[]> = {
  metric: ['lines', 'stat', 'table'],
  traces: ['red', 'count'],
  logs: ['histogram', 'lines'],
  sql: [],
  text: [],
};
const UNITS = ['number', 'count', 'rate', 'share', 'seconds', 'bytes', 'byte_rate'] as const;

interface Props {
  project: number;
  panel: DashboardPanel;
  onDone: (panel: DashboardPanel) => void;
  onClose: () => void;
}

/** What a panel asks and how it shows the answer. */
export function PanelForm({ project, panel, onDone, onClose }: Props) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(panel);
  const set = (next: Partial<DashboardPanel>) => setDraft((old) => ({ ...old, ...next }));
  const queries = draft.queries?.length ? draft.queries : [{ expr: '' }];
  const setQuery = (i: number, next: { expr?: string; legend?: string }) =>
    set({ queries: queries.map((q, at) => (at === i ? { ...q, ...next } : q)) });
  const show = draft.show || SHOWS[draft.kind][0];
  const asksService = draft.kind === 'sql' || (draft.kind === 'traces' && show === 'red');
  const searches = draft.kind === 'logs' || draft.kind === 'sql' || (draft.kind === 'traces' && show === 'count');
  const done = () => {
    const { id, kind, title, width, height } = draft;
    onDone({
      id,
      kind,
      title: title?.trim(),
      width,
      height,
      show,
      ...(kind === 'metric' && { queries: queries.filter((q) => q.expr.trim()), unit: draft.unit }),
      ...(asksService && { service: draft.service }),
      ...(searches && { search: draft.search }),
      ...(kind === 'text' && { text: draft.text }),
    });
  };
  return (
    <FormModal
      title={t('dashboard.panel')}
      busy={false}
      size="lg"
      verb={t('dashboard.apply')}
      onSubmit={done}
      onClose={onClose}
    >
      <TextInput
        label={t('dashboard.title')}
        value={draft.title ?? ''}
        maxLength={200}
        onChange={(e) => set({ title: e.currentTarget.value })}
      />
      <div className="pair">
        <Select
          label={t('dashboard.kind_of')}
          allowDeselect={false}
          data={KINDS.map((value) => ({ value, label: t(`dashboard.kind.${value}`) }))}
          value={draft.kind}
          onChange={(kind) => set({ kind: kind as DashboardPanel['kind'], show: undefined })}
        />
        {show && (
          <Select
            label={t('dashboard.show_as')}
            allowDeselect={false}
            data={SHOWS[draft.kind].map((value) => ({ value, label: t(`dashboard.show.${value}`) }))}
            value={show}
            onChange={(next) => set({ show: next as DashboardPanel['show'] })}
          />
        )}
      </div>
      {draft.kind === 'metric' && (
        <>
          {queries.map((query, i) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a query is its place
            <div key={i} className="row">
              <PromField
                live
                project={project}
                label={t('metrics.query', { letter: String.fromCharCode(65 + i) })}
                value={query.expr}
                onChange={(expr) => setQuery(i, { expr })}
              />
              <TextInput
                w={150}
                size="sm"
                aria-label={t('dashboard.legend', { letter: String.fromCharCode(65 + i) })}
                placeholder={'{{label}}'}
                value={query.legend ?? ''}
                onChange={(e) => setQuery(i, { legend: e.currentTarget.value })}
              />
              {queries.length > 1 && (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={t('metrics.remove', { letter: String.fromCharCode(65 + i) })}
                  onClick={() => set({ queries: queries.filter((_, at) => at !== i) })}
                >
                  <IconTrash size={16} />
                </ActionIcon>
              )}
            </div>
          ))}
          {queries.length < 10 && (
            <Button
              variant="subtle"
              size="compact-sm"
              w="max-content"
              leftSection={<IconPlus size={15} />}
              onClick={() => set({ queries: [...queries, { expr: '' }] })}
            >
              {t('metrics.add')}
            </Button>
          )}
          <Select
            label={t('dashboard.unit_of')}
            allowDeselect={false}
            data={[
              { value: '', label: t('dashboard.unit.auto') },
              ...UNITS.map((value) => ({ value, label: t(`dashboard.unit.${value}`) })),
            ]}
            value={draft.unit ?? ''}
            onChange={(unit) => set({ unit: (unit || undefined) as DashboardPanel['unit'] })}
          />
        </>
      )}
      {asksService && (
        <TextInput
          label={t('dashboard.service')}
          placeholder={'$service'}
          value={draft.service ?? ''}
          onChange={(e) => set({ service: e.currentTarget.value })}
        />
      )}
      {searches && (
        <TextInput
          label={t('dashboard.search')}
          placeholder={draft.kind === 'sql' ? undefined : 'service:"$service"'}
          value={draft.search ?? ''}
          onChange={(e) => set({ search: e.currentTarget.value })}
        />
      )}
      {draft.kind === 'text' && (
        <Textarea
          label={t('dashboard.text')}
          autosize
          minRows={4}
          maxRows={16}
          value={draft.text ?? ''}
          onChange={(e) => set({ text: e.currentTarget.value })}
        />
      )}
      <div className="pair">
        <Select
          label={t('dashboard.width')}
          allowDeselect={false}
          data={[
            '3',
            '4',
            '6',
            '8',
            '12',
            ...(['3', '4', '6', '8', '12'].includes(String(draft.width)) ? [] : [String(draft.width)]),
          ].map((value) => ({ value, label: `${value}/12` }))}
          value={String(draft.width)}
          onChange={(width) => set({ width: Number(width) })}
        />
        <Select
          label={t('dashboard.height')}
          allowDeselect={false}
          data={(['1', '2', '3'] as const).map((value) => ({ value, label: t(`dashboard.size.${value}`) }))}
          value={String(draft.height)}
          onChange={(height) => set({ height: Number(height) })}
        />
      </div>
    </FormModal>
  );
}
