import { Tooltip } from '@mantine/core';
import { IconArrowDownRight, IconArrowUpRight, IconEqual } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { RED } from '../api/types.ts';
import { ratio } from '../format/number.ts';
import classes from './Change.module.css';

interface Compared {
  now: RED;
  day_ago: RED | null;
  week_ago: RED | null;
}

interface Props {
  of: Compared;
  /** Which of the numbers, and how it is written. */
  value: (red: RED) => number;
  write: (value: number) => string;
  /** More is neither good nor bad. */
  neutral?: boolean;
}

const PAST = ['day', 'week'] as const;

/** A number beside itself a day and a week ago: how many times as much, and in which direction. */
export function Change({ of, value, write, neutral }: Props) {
  const { t } = useTranslation();
  return (
    <span className={classes.changes}>
      {PAST.map((past) => {
        const then = past === 'day' ? of.day_ago : of.week_ago;
        const label = t(`change.${past}`);
        if (of.now.count === 0 || !then) {
          return (
            <Tooltip key={past} label={t(`change.nothing.${past}`)}>
              <span className={classes.change}>
                {label} <span aria-hidden>{'–'}</span>
              </span>
            </Tooltip>
          );
        }
        const before = value(then);
        const times = before === 0 ? (value(of.now) === 0 ? 1 : Number.POSITIVE_INFINITY) : value(of.now) / before;
        return (
          <Times
            key={past}
            times={times}
            label={label}
            title={t(`change.then.${past}`, { value: write(before) })}
            neutral={neutral}
          />
        );
      })}
    </span>
  );
}

interface TimesProps {
  /** How many times as much as it was; infinite of nothing. */
  times: number;
  label?: string;
  /** What it was. */
  title: string;
  neutral?: boolean;
}

/** How many times as much a number is as another, and in which direction. */
export function Times({ times, label, title, neutral }: TimesProps) {
  const { t } = useTranslation();
  const { Icon, tone } = looks(times, neutral);
  return (
    <Tooltip label={title}>
      <span className={classes.change} data-tone={tone}>
        {label}
        <Icon size={12} stroke={2.2} role="img" aria-label={t(`change.${direction(times)}`)} />
        {Number.isFinite(times) ? ratio(times) : t('change.new')}
      </span>
    </Tooltip>
  );
}

const direction = (times: number) => (times > 1.05 ? 'more' : times < 0.95 ? 'less' : 'same');

function looks(times: number, neutral: boolean | undefined) {
  const Icon = { more: IconArrowUpRight, less: IconArrowDownRight, same: IconEqual }[direction(times)];
  const tone = neutral
    ? undefined
    : times >= 3
      ? 'critical'
      : times >= 1.5
        ? 'warning'
        : times <= 0.67
          ? 'ok'
          : undefined;
  return { Icon, tone };
}
