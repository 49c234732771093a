import { Button } from '@mantine/core';
import { IconCloudOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../api/problem.ts';
import { short } from '../format/time.ts';
import { useNow } from './useNow.ts';

interface Props {
  query: {
    isError: boolean;
    data: unknown;
    error: unknown;
    dataUpdatedAt: number;
    isFetching: boolean;
    refetch: () => Promise<unknown>;
  };
}

/** Above content that could not be renewed: since when it stands, and why. */
export function Stale({ query }: Props) {
  const { t } = useTranslation();
  const now = useNow();
  if (!query.isError || !query.data) return null;
  return (
    <div className="stale" role="status">
      <IconCloudOff size={15} aria-hidden />
      <span>
        {t('list.stale', { time: short(query.dataUpdatedAt, now) })}{' '}
        <span className="soft">{t(`problem.${asProblem(query.error).reason}.what`)}</span>
      </span>
      <Button variant="default" size="compact-xs" loading={query.isFetching} onClick={() => void query.refetch()}>
        {t('problem.retry')}
      </Button>
    </div>
  );
}
