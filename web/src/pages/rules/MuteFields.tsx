import { ActionIcon, Autocomplete, Button, TextInput, Tooltip } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Mute } from '../../api/types.ts';
import { dayNames, Weekdays } from '../../parts/Weekdays.tsx';
import classes from './Rules.module.css';

const ZONES = ['UTC', ...Intl.supportedValuesOf('timeZone')];
/** A mute timing in words: "Mon, Tue 22:00–06:00 Asia/Seoul". */
export function muteText(mute: Mute, language: string, everyDay: string): string {
  const days = dayNames(mute.days, language).join(', ') || everyDay;
  return `${days} ${mute.from}–${mute.to} ${mute.zone}`;
}

interface Props {
  mutes: Mute[];
  /** What is wrong, by names such as mutes[0].zone. */
  faults: Readonly<Record<string, string>>;
  onChange: (mutes: Mute[]) => void;
}

/** The times of the week in which a rule opens no incident. */
export function MuteFields({ mutes, faults, onChange }: Props) {
  const { t } = useTranslation();
  const set = (at: number, part: Partial<Mute>) => onChange(mutes.map((m, i) => (i === at ? { ...m, ...part } : m)));
  return (
    <div className={classes.mutes}>
      <p className="soft">{t('rules.mutes_mean')}</p>
      {mutes.map((mute, i) => {
        const fault = (field: string) => faults[`mutes[${i}].${field}`];
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a timing is its place
          <fieldset key={i} className={classes.mute} aria-label={t('rules.mute_nth', { n: i + 1 })}>
            <Weekdays
              label={t('rules.mute.days')}
              error={fault('days')}
              value={mute.days ?? []}
              onChange={(days) => set(i, { days })}
            />
            {!mute.days?.length && <span className="dim">{t('rules.every_day')}</span>}
            <div className={classes.times}>
              <TextInput
                type="time"
                required
                label={t('rules.mute.from')}
                error={fault('from')}
                value={mute.from}
                onChange={(e) => set(i, { from: e.currentTarget.value })}
              />
              <TextInput
                type="time"
                required
                label={t('rules.mute.to')}
                description={undefined}
                error={fault('to')}
                value={mute.to}
                onChange={(e) => set(i, { to: e.currentTarget.value })}
              />
              <Autocomplete
                required
                label={t('rules.mute.zone')}
                limit={30}
                data={ZONES}
                error={fault('zone')}
                value={mute.zone}
                onChange={(zone) => set(i, { zone: zone.trim() })}
              />
              <Tooltip label={t('rules.mute.remove')}>
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  size="lg"
                  aria-label={`${t('rules.mute.remove')}: ${i + 1}`}
                  onClick={() => onChange(mutes.filter((_, at) => at !== i))}
                >
                  <IconTrash size={16} />
                </ActionIcon>
              </Tooltip>
            </div>
            {mute.from !== '' && mute.from >= mute.to && (
              <p className="dim">{t(mute.from === mute.to ? 'rules.mute.whole_day' : 'rules.mute.next_day')}</p>
            )}
          </fieldset>
        );
      })}
      {mutes.length < 20 && (
        <Button
          variant="subtle"
          size="compact-sm"
          w="max-content"
          leftSection={<IconPlus size={15} />}
          onClick={() =>
            onChange([
              ...mutes,
              { days: [], from: '22:00', to: '06:00', zone: Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC' },
            ])
          }
        >
          {t('rules.mute.add')}
        </Button>
      )}
    </div>
  );
}
