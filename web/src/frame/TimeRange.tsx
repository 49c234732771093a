import { Button, Popover, TextInput, Tooltip } from '@mantine/core';
import { IconClock } from '@tabler/icons-react';
import { useMatch, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { goesOn } from '../api/incidents.ts';
import { localInput, short } from '../format/time.ts';
import { useNow } from '../parts/useNow.ts';
import classes from './Frame.module.css';
import { DEFAULT_RANGE, RANGES, type RangeName, type RangeSearch, resolveRange } from './range.ts';

/** The range every page works in: a few relative ones, or two moments. */
export function TimeRange() {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const now = useNow();
  const search = useSearch({ strict: false }) as RangeSearch;
  const navigate = useNavigate();
  const name = search.range ?? DEFAULT_RANGE;
  const label = search.from && search.to ? `${short(search.from, now)} – ${short(search.to, now)}` : t(`range.${name}`);
  const list = useMatch({ from: '/home/projects/$project/incidents', shouldThrow: false });
  if (list && goesOn(list.search.state ?? 'open')) {
    return (
      <Tooltip label={t('range.open_means')}>
        <Button
          variant="subtle"
          color="gray"
          px={8}
          leftSection={<IconClock size={16} stroke={1.6} />}
          aria-disabled
          className={classes.idle}
          aria-label={t('range.label', { range: t('range.open_means') })}
        >
          {t('range.open')}
        </Button>
      </Tooltip>
    );
  }
  const choose = (next: RangeSearch) => {
    setOpened(false);
    void navigate({
      to: '.',
      search: (old) => ({ ...old, range: undefined, from: undefined, to: undefined, ...next }),
    });
  };
  return (
    <Popover opened={opened} onChange={setOpened} position="bottom-end" width={280} trapFocus shadow="md">
      <Popover.Target>
        <Button
          variant="subtle"
          color="gray"
          px={8}
          leftSection={<IconClock size={16} stroke={1.6} />}
          onClick={() => setOpened(!opened)}
          aria-label={t('range.label', { range: label })}
        >
          {label}
        </Button>
      </Popover.Target>
      <Popover.Dropdown p={6}>
        {(Object.keys(RANGES) as RangeName[]).map((each) => (
          <Button
            key={each}
            variant={!search.from && each === name ? 'light' : 'subtle'}
            color={!search.from && each === name ? undefined : 'gray'}
            fullWidth
            justify="flex-start"
            onClick={() => choose(each === DEFAULT_RANGE ? {} : { range: each })}
          >
            {t(`range.${each}`)}
          </Button>
        ))}
        <Absolute key={String(opened)} search={search} now={now} onApply={choose} />
      </Popover.Dropdown>
    </Popover>
  );
}

function Absolute({
  search,
  now,
  onApply,
}: {
  search: RangeSearch;
  now: number;
  onApply: (next: RangeSearch) => void;
}) {
  const { t } = useTranslation();
  const { since, until } = resolveRange(search, now);
  const [from, setFrom] = useState(localInput(since));
  const [to, setTo] = useState(localInput(until));
  const wrong = !from || !to || from >= to;
  return (
    <form
      className={classes.absolute}
      onSubmit={(event) => {
        event.preventDefault();
        if (!wrong) onApply({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
      }}
    >
      <TextInput
        type="datetime-local"
        label={t('range.from')}
        value={from}
        onChange={(e) => setFrom(e.currentTarget.value)}
      />
      <TextInput
        type="datetime-local"
        label={t('range.to')}
        value={to}
        onChange={(e) => setTo(e.currentTarget.value)}
        error={wrong && t('range.wrong')}
      />
      <Button type="submit" disabled={wrong}>
        {t('range.apply')}
      </Button>
    </form>
  );
}
