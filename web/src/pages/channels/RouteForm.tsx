import { MultiSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Channel, Route } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { ConditionFields, TYPED } from '../../parts/notify/ConditionFields.tsx';
import { slim } from '../../parts/notify/conditions.ts';

interface Props {
  /** Absent to make a new one. */
  route?: Route;
  zone: string;
  channels: Channel[];
  busy: boolean;
  onSave: (route: Route) => void;
  onClose: () => void;
}

export function RouteForm({ route, zone, channels, busy, onSave, onClose }: Props) {
  const { t } = useTranslation();
  const [edit, setEdit] = useState<Route>(() => route ?? { name: '', channels: [] });
  const set = (part: Partial<Route>) => setEdit((old) => ({ ...old, ...part }));
  return (
    <FormModal
      title={t(route ? 'channels.routing.edit' : 'channels.routing.add')}
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
      <ConditionFields of={edit} zone={zone} onChange={set} />
      <MultiSelect
        classNames={TYPED}
        label={t('channels.routing.to')}
        required
        withAsterisk
        searchable
        data={channels.map(({ id, name }) => ({ value: String(id), label: name }))}
        value={edit.channels.map(String)}
        onChange={(ids) => set({ channels: ids.map(Number) })}
      />
    </FormModal>
  );
}
