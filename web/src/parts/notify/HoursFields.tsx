import { TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Hours } from '../../api/types.ts';
import { Weekdays } from '../Weekdays.tsx';

/** Times of a week. */
export function HoursFields({ hours, onChange }: { hours: Hours; onChange: (hours: Hours) => void }) {
  const { t } = useTranslation();
  return (
    <>
      <Weekdays
        label={t('channels.routing.weekdays')}
        description={t('channels.routing.weekdays_hint')}
        value={hours.weekdays ?? []}
        onChange={(weekdays) => onChange({ ...hours, weekdays })}
      />
      <div className="pair">
        <TextInput
          type="time"
          label={t('channels.routing.from')}
          required
          value={hours.from}
          onChange={(e) => onChange({ ...hours, from: e.currentTarget.value })}
        />
        <TextInput
          type="time"
          label={t('channels.routing.until')}
          required
          value={hours.to}
          onChange={(e) => onChange({ ...hours, to: e.currentTarget.value })}
        />
      </div>
    </>
  );
}
