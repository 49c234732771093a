import { SegmentedControl, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createMaintenance } from '../../api/incidents.ts';
import type { MaintenanceEdit } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { Weekdays } from '../../parts/Weekdays.tsx';
import { EMPTY, MatcherFields, matchersOf } from './MatcherFields.tsx';
import classes from './Silences.module.css';

export function MaintenanceForm({ project, onClose }: { project: number; onClose: () => void }) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(EMPTY);
  const [name, setName] = useState('');
  const [weekly, setWeekly] = useState(false);
  const [once, setOnce] = useState({ from: '', to: '' });
  const [week, setWeek] = useState({ days: [] as number[], start: '01:00', end: '03:00' });
  const [zone, setZone] = useState(Intl.DateTimeFormat().resolvedOptions().timeZone);
  const timing = (): MaintenanceEdit['timing'] =>
    weekly
      ? { weekly, zone, days: week.days, start: week.start, end: week.end }
      : { weekly, zone, from: new Date(once.from).toISOString(), to: new Date(once.to).toISOString() };
  const save = useChange(
    () => createMaintenance(project, { name: name.trim(), matchers: matchersOf(draft), timing: timing() }),
    { refresh: ['maintenance-windows', project], done: t('silences.planned'), onDone: onClose },
  );
  return (
    <FormModal
      title={t('silences.add.maintenance')}
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('silences.column.name')}
        required
        maxLength={500}
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <SegmentedControl
        aria-label={t('silences.column.when')}
        value={weekly ? 'weekly' : 'once'}
        data={(['once', 'weekly'] as const).map((value) => ({ value, label: t(`silences.timing.${value}`) }))}
        onChange={(next) => setWeekly(next === 'weekly')}
      />
      {weekly ? (
        <>
          <Weekdays
            label={t('silences.days')}
            value={week.days}
            onChange={(days) => setWeek((old) => ({ ...old, days }))}
          />
          <div className={classes.pair}>
            {(['start', 'end'] as const).map((end) => (
              <TextInput
                key={end}
                type="time"
                required
                label={t(`silences.timing.${end}`)}
                value={week[end]}
                onChange={(event) => {
                  const at = event.currentTarget.value;
                  setWeek((old) => ({ ...old, [end]: at }));
                }}
              />
            ))}
          </div>
          <TextInput
            label={t('silences.timing.zone')}
            required
            value={zone}
            onChange={(event) => setZone(event.currentTarget.value)}
          />
        </>
      ) : (
        <div className={classes.pair}>
          {(['from', 'to'] as const).map((end) => (
            <TextInput
              key={end}
              type="datetime-local"
              required
              label={t(`silences.timing.${end}`)}
              value={once[end]}
              onChange={(event) => {
                const at = event.currentTarget.value;
                setOnce((old) => ({ ...old, [end]: at }));
              }}
            />
          ))}
        </div>
      )}
      <MatcherFields project={project} draft={draft} onChange={(part) => setDraft((old) => ({ ...old, ...part }))} />
    </FormModal>
  );
}
