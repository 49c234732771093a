import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { count } from '../format/number.ts';

interface Props {
  shown: number;
  /** Absent while it is counted. */
  total?: number;
  /** The list as useInfiniteQuery holds it. */
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => Promise<unknown> };
  children?: ReactNode;
}

/** Below a list that is read page by page: how much of it is here, and more. */
export function ListFoot({ shown, total, list, children }: Props) {
  const { t } = useTranslation();
  return (
    <div className="foot">
      <span>{t('list.shown', { shown: count(shown), total: total === undefined ? '…' : count(total) })}</span>
      {list.hasNextPage && (
        <Button
          variant="default"
          size="compact-xs"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('list.more')}
        </Button>
      )}
      {children}
    </div>
  );
}
