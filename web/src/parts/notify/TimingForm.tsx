import { NumberInput, Select, Switch } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Digest, Quiet } from '../../api/types.ts';
import { FormModal } from '../FormModal.tsx';
import { HoursFields } from './HoursFields.tsx';
import type { Times } from './TimingPanels.tsx';

const NIGHT: Quiet = { hours: { from: '22:00', to: '07:00' }, below: 'critical' };
const HALF_HOUR: Digest = { below: 'warning', every_minutes: 30 };

interface Props {
  of: Times;
  busy: boolean;
  onSave: (times: Times) => void;
  onClose: () => void;
}

/** Edits what waits: quiet hours, the digest, and the zone of both. */
export function TimingForm({ of, busy, onSave, onClose }: Props) {
  const { t } = useTranslation();
  const [quiet, setQuiet] = useState<Quiet | undefined>(of.quiet);
  const [digest, setDigest] = useState<Digest | undefined>(of.digest);
  const [zone, setZone] = useState(of.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone);
  const below = (value: string, onChange: (value: string) => void) => (
    <Select
      label={t('channels.quiet.what')}
      data={(['critical', 'warning'] as const).map((one) => ({ value: one, label: t(`channels.below.${one}`) }))}
      value={value}
      allowDeselect={false}
      onChange={(next) => next && onChange(next)}
    />
  );
  return (
    <FormModal
      title={t('channels.quiet.edit')}
      busy={busy}
      onSubmit={() => onSave({ quiet, digest, time_zone: zone })}
      onClose={onClose}
    >
      <Select
        label={t('channels.quiet.zone')}
        searchable
        allowDeselect={false}
        data={[...new Set([zone, 'UTC', ...Intl.supportedValuesOf('timeZone')])]}
        value={zone}
        onChange={(next) => next && setZone(next)}
      />
      <Switch
        label={t('channels.quiet.on')}
        checked={quiet !== undefined}
        onChange={(e) => setQuiet(e.currentTarget.checked ? NIGHT : undefined)}
      />
      {quiet && (
        <>
          <HoursFields hours={quiet.hours} onChange={(hours) => setQuiet({ ...quiet, hours })} />
          {below(quiet.below, (next) => setQuiet({ ...quiet, below: next }))}
        </>
      )}
      <Switch
        label={t('channels.digest.on')}
        checked={digest !== undefined}
        onChange={(e) => setDigest(e.currentTarget.checked ? HALF_HOUR : undefined)}
      />
      {digest && (
        <div className="pair">
          {below(digest.below, (next) => setDigest({ ...digest, below: next }))}
          <NumberInput
            label={t('channels.digest.every')}
            required
            min={5}
            max={1440}
            allowDecimal={false}
            value={digest.every_minutes}
            onChange={(value) => setDigest({ ...digest, every_minutes: Number(value) })}
          />
        </div>
      )}
    </FormModal>
  );
}
