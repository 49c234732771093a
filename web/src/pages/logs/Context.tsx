import { Button, Skeleton } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { logContextQuery } from '../../api/logs.ts';
import { Failure } from '../../parts/Failure.tsx';
import { LogLines } from '../../parts/LogLines.tsx';
import classes from './RecordPanel.module.css';

const FIRST = 20;
const MORE = 50;
const MOST = 500;

interface Props {
  project: number;
  id: string;
  marks?: RegExp;
  onOpen: (id: string) => void;
}

/** What the same process wrote before and after a record. Stays with its record while others of it are opened. */
export function Context({ project, id, marks, onOpen }: Props) {
  const { t } = useTranslation();
  const [centre, setCentre] = useState(id);
  const [before, setBefore] = useState(FIRST);
  const [after, setAfter] = useState(FIRST);
  const query = useQuery(logContextQuery(project, centre, before, after));
  const records = query.data?.items ?? [];
  const known = records.length === 0 || records.some((each) => each.id === id);
  useEffect(() => {
    if (known) return;
    setCentre(id);
    setBefore(FIRST);
    setAfter(FIRST);
  }, [known, id]);

  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  if (records.length === 0) return <Skeleton height={240} m={12} />;
  const at = records.findIndex((each) => each.id === centre);
  const first = records[0];
  const more = (
    icon: typeof IconArrowUp,
    there: boolean,
    count: number,
    set: (n: number) => void,
    what: 'earlier' | 'later',
  ) => {
    const Icon = icon;
    return (
      <div className={classes.more}>
        {query.isPlaceholderData || (there && count < MOST) ? (
          <Button
            variant="subtle"
            size="compact-xs"
            leftSection={<Icon size={14} />}
            loading={query.isFetching}
            onClick={() => set(Math.min(count + MORE, MOST))}
          >
            {t(`logs.${what}`)}
          </Button>
        ) : (
          <span className="dim">{t(there ? 'logs.context_most' : 'logs.context_end', { count: MOST })}</span>
        )}
      </div>
    );
  };
  return (
    <div className={classes.context}>
      <p className="dim">{[first?.service, first?.instance].filter(Boolean).join(' · ')}</p>
      <LogLines
        label={t('logs.context')}
        records={records}
        marks={marks}
        oneService
        wrap
        selected={id}
        onSelect={(record) => onOpen(record.id)}
        head={more(IconArrowUp, at >= before, before, setBefore, 'earlier')}
        foot={more(IconArrowDown, records.length - 1 - at >= after, after, setAfter, 'later')}
      />
    </div>
  );
}
