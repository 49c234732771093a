import { MultiSelect, Switch, TagsInput, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Channel, Hours, Route } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import classes from './Channels.module.css';
import { HoursFields } from './HoursFields.tsx';

const SEVERITIES = ['critical', 'warning', 'info'] as const;
const TYPED = { inputField: classes.typed };
const OFFICE: Hours = { weekdays: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' };

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
  const [labels, setLabels] = useState(() =>
    Object.entries(route?.labels ?? {}).map(([name, value]) => `${name}=${value}`),
  );
  const set = (part: Partial<Route>) => setEdit((old) => ({ ...old, ...part }));
  return (
    <FormModal
      title={t(route ? 'channels.routing.edit' : 'channels.routing.add')}
      busy={busy}
      size="lg"
      onSubmit={() => onSave(slim({ ...edit, labels: pairs(labels) }))}
      onClose={onClose}
    >
      <TextInput
        label={t('channels.column.name')}
        required
        maxLength={100}
        value={edit.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <MultiSelect
        classNames={TYPED}
        label={t('channels.routing.severity')}
        description={t('channels.routing.empty_is_all')}
        searchable
        data={SEVERITIES.map((one) => ({ value: one, label: t(`channels.severity.${one}`) }))}
        value={edit.severities ?? []}
        onChange={(severities) => set({ severities })}
      />
      <div className="pair">
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.service')}
          description={t('channels.routing.service_hint')}
          value={edit.services ?? []}
          onChange={(services) => set({ services })}
        />
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.environment')}
          description={t('channels.routing.tag_hint')}
          value={edit.environments ?? []}
          onChange={(environments) => set({ environments })}
        />
      </div>
      <div className="pair">
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.owner')}
          description={t('channels.routing.tag_hint')}
          value={edit.owners ?? []}
          onChange={(owners) => set({ owners })}
        />
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.label')}
          description={t('channels.routing.label_hint')}
          value={labels}
          onChange={(next) => setLabels(next.filter((one) => one.includes('=')))}
        />
      </div>
      <Switch
        label={t('channels.routing.at_hours', { zone: zone || 'UTC' })}
        checked={edit.hours !== undefined}
        onChange={(e) => set({ hours: e.currentTarget.checked ? OFFICE : undefined })}
      />
      {edit.hours && <HoursFields hours={edit.hours} onChange={(hours) => set({ hours })} />}
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

const pairs = (labels: string[]) =>
  Object.fromEntries(labels.map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]));

/** Without conditions that are empty: they would say nothing. */
const slim = ({ name, channels, hours, ...conditions }: Route): Route => ({
  name,
  channels,
  hours,
  ...Object.fromEntries(Object.entries(conditions).filter(([, value]) => value && Object.keys(value).length > 0)),
});
