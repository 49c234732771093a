import { Checkbox, Group } from '@mantine/core';
import { useTranslation } from 'react-i18next';

// The week begins on Monday here; the API counts from Sunday.
const WEEK = [1, 2, 3, 4, 5, 6, 0];

/** The short name of a day of the week, 0 is Sunday. */
export const dayName = (day: number, language: string) =>
  // 2023-01-01 was a Sunday.
  new Intl.DateTimeFormat(language === 'ko' ? 'ko-KR' : 'en-GB', { weekday: 'short', timeZone: 'UTC' }).format(
    Date.UTC(2023, 0, 1 + day),
  );

/** The short names of days in the order of the week; empty for none. */
export const dayNames = (days: readonly number[] | undefined | null, language: string) =>
  WEEK.filter((day) => days?.includes(day)).map((day) => dayName(day, language));

interface Props {
  label: string;
  description?: string;
  error?: string;
  /** Days, 0 is Sunday; none is every day. */
  value: readonly number[];
  onChange: (days: number[]) => void;
}

/** Days of the week to choose from. */
export function Weekdays({ value, onChange, ...words }: Props) {
  const { i18n } = useTranslation();
  return (
    <Checkbox.Group
      {...words}
      value={value.map(String)}
      onChange={(days) => onChange(days.map(Number).toSorted((a, b) => a - b))}
    >
      <Group gap={14} mt={4}>
        {WEEK.map((day) => (
          <Checkbox key={day} value={String(day)} size="xs" label={dayName(day, i18n.language)} />
        ))}
      </Group>
    </Checkbox.Group>
  );
}
