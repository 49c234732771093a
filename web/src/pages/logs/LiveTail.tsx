import { Button, Skeleton } from '@mantine/core';
import { IconArrowBarToDown, IconLogs } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type LogFilter, logTailQuery } from '../../api/logs.ts';
import type { LogRecord } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { LogLines } from '../../parts/LogLines.tsx';
import { Stale } from '../../parts/Stale.tsx';
import classes from './Logs.module.css';

interface Props {
  project: number;
  filter: LogFilter;
  /** The reader has paused all screens. */
  paused: boolean;
  columns: string[];
  wrap: boolean;
  marks?: RegExp;
  selected?: string;
  onSelect: (record: LogRecord) => void;
  /** Close the selected record, which the tail waits for. */
  onClose: () => void;
}

/** What arrives, as it arrives, the newest at the end. Scrolling up stops it, the end goes on with it. */
export function LiveTail({ project, filter, paused, onClose, ...lines }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [stick, setStick] = useState(true);
  const follow = stick && !paused && !lines.selected;
  const tail = useQuery(logTailQuery(client, project, filter, follow));
  if (tail.isError && !tail.data) return <Failure error={tail.error} retry={() => void tail.refetch()} />;
  if (!tail.data) return <Skeleton height={320} m={12} />;
  const { items, skipped } = tail.data;
  return (
    <>
      <Stale query={tail} />
      <div className={classes.grow}>
        {items.length === 0 ? (
          <Empty icon={IconLogs} title={t('logs.waiting')}>
            <p>{t('logs.waiting_hint')}</p>
          </Empty>
        ) : (
          <LogLines {...lines} label={t('logs.live')} records={items} stick={follow} onStick={setStick} />
        )}
      </div>
      <div className="foot" role="status">
        <span className={classes.pulse} data-on={follow || undefined} aria-hidden />
        <span>{t(follow ? 'logs.following' : 'logs.stopped')}</span>
        <span>{t('logs.kept', { count: items.length, shown: count(items.length) })}</span>
        {skipped > 0 && (
          <span className={classes.skipped}>{t('logs.skipped', { count: skipped, shown: count(skipped) })}</span>
        )}
        {!follow && !paused && (
          <Button
            className="foot-end"
            variant="light"
            size="compact-xs"
            leftSection={<IconArrowBarToDown size={14} />}
            onClick={() => {
              if (lines.selected) onClose();
              setStick(true);
            }}
          >
            {t('logs.go_on')}
          </Button>
        )}
      </div>
    </>
  );
}
