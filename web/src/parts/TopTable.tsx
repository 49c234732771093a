import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Top } from '../api/types.ts';
import { count } from '../format/number.ts';
import { Failure } from './Failure.tsx';
import { rowKeys } from './rowKeys.ts';
import { SkeletonRows } from './SkeletonRows.tsx';
import { Stale } from './Stale.tsx';

interface Props<T> {
  list: UseQueryResult<Top<T>>;
  /** The cells of the head. */
  head: ReactNode;
  columns: number;
  /** Of the skeleton. */
  rows?: number;
  row: (item: T) => ReactNode;
  /** What stands in the place of a list without items. */
  empty: ReactNode;
}

/** The first of a sorted list, with how many there are, in all its states. */
export function TopTable<T>({ list, head, columns, rows = 5, row, empty }: Props<T>) {
  const { t } = useTranslation();
  const items = list.data?.items ?? [];
  return (
    <section className="panel" aria-busy={list.isPending}>
      <Stale query={list} />
      {list.isError && !list.data ? (
        <Failure error={list.error} retry={() => void list.refetch()} />
      ) : !list.isPending && items.length === 0 ? (
        empty
      ) : (
        <div className="scroll-x">
          <table className="table">
            <thead>
              <tr>{head}</tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {list.isPending ? <SkeletonRows rows={rows} columns={columns} /> : items.map(row)}
            </tbody>
          </table>
        </div>
      )}
      {items.length > 0 && (
        <div className="foot">
          <span>{t('list.shown', { shown: count(items.length), total: count(list.data?.total ?? 0) })}</span>
        </div>
      )}
    </section>
  );
}
