import { NumberInput, Select, Switch } from '@mantine/core';
import { IconMoon, IconPencil, IconStack2 } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Digest, Quiet, RoutingEdit, Routing as Stored } from '../../api/types.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { dayNames } from '../../parts/Weekdays.tsx';
import classes from './Channels.module.css';
import { HoursFields } from './HoursFields.tsx';

const NIGHT: Quiet = { hours: { from: '22:00', to: '07:00' }, below: 'critical' };
const HALF_HOUR: Digest = { below: 'warning', every_minutes: 30 };

interface Props {
  routing: Stored;
  busy: boolean;
  onSave: (part: Partial<RoutingEdit>) => void;
}

/** What waits: quiet hours and the digest. */
export function Timing({ routing, busy, onSave }: Props) {
  const { t, i18n } = useTranslation();
  const canWrite = useCanWrite();
  const [editing, setEditing] = useState(false);
  const { quiet, digest } = routing;
  const zone = routing.time_zone || 'UTC';
  return (
    <div className={classes.timing}>
      <section className={`panel ${classes.part}`}>
        <div className="row">
          <h2 className="row">
            <IconMoon size={16} aria-hidden />
            {t('channels.quiet.title')}
          </h2>
          {canWrite && (
            <RowAction
              icon={IconPencil}
              label={t('action.edit')}
              of={t('channels.quiet.title')}
              onClick={() => setEditing(true)}
            />
          )}
        </div>
        <p>
          {quiet
            ? t(`channels.quiet_below.${quiet.below as 'critical'}`, {
                days: dayNames(quiet.hours.weekdays, i18n.language).join(' ') || t('channels.routing.every_day'),
                from: quiet.hours.from,
                to: quiet.hours.to,
                zone,
              })
            : t('channels.quiet.none')}
        </p>
      </section>
      <section className={`panel ${classes.part}`}>
        <div className="row">
          <h2 className="row">
            <IconStack2 size={16} aria-hidden />
            {t('channels.digest.title')}
          </h2>
          {canWrite && (
            <RowAction
              icon={IconPencil}
              label={t('action.edit')}
              of={t('channels.digest.title')}
              onClick={() => setEditing(true)}
            />
          )}
        </div>
        <p>
          {digest
            ? t(`channels.digest_below.${digest.below as 'critical'}`, { minutes: digest.every_minutes })
            : t('channels.digest.none')}
        </p>
      </section>
      {editing && (
        <TimingForm
          routing={routing}
          busy={busy}
          onSave={(part) => {
            onSave(part);
            setEditing(false);
          }}
          onClose={() => setEditing(false)}
        />
      )}
    </div>
  );
}

function TimingForm({ routing, busy, onSave, onClose }: Props & { onClose: () => void }) {
  const { t } = useTranslation();
  const [quiet, setQuiet] = useState<Quiet | undefined>(routing.quiet);
  const [digest, setDigest] = useState<Digest | undefined>(routing.digest);
  const [zone, setZone] = useState(routing.time_zone || Intl.DateTimeFormat().resolvedOptions().timeZone);
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
