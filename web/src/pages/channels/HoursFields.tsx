import { Chip, Group, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Hours } from '../../api/types.ts';

const WEEK = ['1', '2', '3', '4', '5', '6', '0'] as const;

/** Times of a week. */
export function HoursFields({ hours, onChange }: { hours: Hours; onChange: (hours: Hours) => void }) {
  const { t } = useTranslation();
  return (
    <>
      <Chip.Group
        multiple
        value={(hours.weekdays ?? []).map(String)}
        onChange={(days) => onChange({ ...hours, weekdays: days.map(Number).sort() })}
      >
        <Group gap={6} role="group" aria-label={t('channels.routing.weekdays')}>
          {WEEK.map((day) => (
            <Chip key={day} value={day} size="xs">
              {t(`channels.weekday.${day}`)}
            </Chip>
          ))}
          {!hours.weekdays?.length && <span className="dim">{t('channels.routing.every_day')}</span>}
        </Group>
      </Chip.Group>
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
