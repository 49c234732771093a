import { Checkbox, Group, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Hours } from '../../api/types.ts';

const WEEK = ['1', '2', '3', '4', '5', '6', '0'] as const;

/** Times of a week. */
export function HoursFields({ hours, onChange }: { hours: Hours; onChange: (hours: Hours) => void }) {
  const { t } = useTranslation();
  return (
    <>
      <Checkbox.Group
        label={t('channels.routing.weekdays')}
        description={t('channels.routing.weekdays_hint')}
        value={(hours.weekdays ?? []).map(String)}
        onChange={(days) => onChange({ ...hours, weekdays: days.map(Number).sort() })}
      >
        <Group gap={14} mt={4}>
          {WEEK.map((day) => (
            <Checkbox key={day} value={day} size="xs" label={t(`channels.weekday.${day}`)} />
          ))}
        </Group>
      </Checkbox.Group>
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
