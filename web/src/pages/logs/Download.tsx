import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { DOWNLOAD_LIMIT, type LogFilter, readLogs } from '../../api/logs.ts';
import { count } from '../../format/number.ts';
import type { RangeSearch } from '../../frame/range.ts';
import { save } from '../../parts/save.ts';
import { toastProblem } from '../../parts/toast.tsx';
import { ndjson, table } from './file.ts';

interface Props {
  project: number;
  filter: LogFilter & { order: 'newest' | 'oldest' };
  range: RangeSearch;
  /** How many records there are. */
  total: number;
}

/** Saves what was found as a file. */
export function Download({ project, filter, range, total }: Props) {
  const { t } = useTranslation();
  const [read, setRead] = useState<number>();
  const download = async (kind: 'ndjson' | 'csv') => {
    setRead(0);
    try {
      const records = await readLogs(project, filter, range, setRead);
      if (kind === 'csv') save(table(records), 'text/csv', 'logs', kind);
      else save(ndjson(records), 'application/x-ndjson', 'logs', kind);
    } catch (error) {
      toastProblem(error);
    }
    setRead(undefined);
  };
  return (
    <Menu position="bottom-end" width={280}>
      <Menu.Target>
        <Button variant="default" leftSection={<IconDownload size={15} />} disabled={total === 0 || read !== undefined}>
          {read === undefined ? t('logs.download') : t('logs.reading', { read: count(read) })}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {total > DOWNLOAD_LIMIT
            ? t('logs.download_part', { limit: count(DOWNLOAD_LIMIT), total: count(total) })
            : t('logs.download_all', { total: count(total) })}
        </Menu.Label>
        <Menu.Item onClick={() => void download('ndjson')}>{'NDJSON'}</Menu.Item>
        <Menu.Item onClick={() => void download('csv')}>{'CSV'}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
