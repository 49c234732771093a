import { Select, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createSilence } from '../../api/incidents.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { EMPTY, MatcherFields, matchersOf } from './MatcherFields.tsx';

const HOURS = ['1', '4', '24', '168'] as const;

export function SilenceForm({ project, onClose }: { project: number; onClose: () => void }) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(EMPTY);
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState<string>('1');
  const save = useChange(
    () =>
      createSilence(project, {
        matchers: matchersOf(draft),
        reason: reason.trim(),
        ends_at: new Date(Date.now() + Number(hours) * 3_600_000).toISOString(),
      }),
    { refresh: ['silences', project], done: t('silences.made'), onDone: onClose },
  );
  return (
    <FormModal
      title={t('silences.add.silences')}
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <MatcherFields project={project} draft={draft} onChange={(part) => setDraft((old) => ({ ...old, ...part }))} />
      <TextInput
        label={t('silences.column.reason')}
        required
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Select
        label={t('silences.how_long')}
        allowDeselect={false}
        data={HOURS.map((value) => ({ value, label: t('silences.for_hours', { hours: value }) }))}
        value={hours}
        onChange={(next) => setHours(next ?? '1')}
      />
    </FormModal>
  );
}
