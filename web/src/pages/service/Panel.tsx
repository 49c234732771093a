import { IconSearch } from '@tabler/icons-react';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Top } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import classes from './Service.module.css';

interface Props<T> {
  list: UseQueryResult<Top<T>>;
  /** The cells of the head. */
  head: ReactNode;
  columns: number;
  row: (item: T) => ReactNode;
}

/** A list of the parts of a service, in all its states. */
export function Panel<T>({ list, head, columns, row }: Props<T>) {
  const { t } = useTranslation();
  const items = list.data?.items ?? [];
  return (
    <section className="panel" aria-busy={list.isPending}>
      <Stale query={list} />
      {list.isError && !list.data ? (
        <Failure error={list.error} retry={() => void list.refetch()} />
      ) : !list.isPending && items.length === 0 ? (
        <Empty icon={IconSearch} title={t('service.nothing')}>
          <p>{t('service.nothing_hint')}</p>
        </Empty>
      ) : (
        <div className={classes.scroll}>
          <table className="table">
            <thead>
              <tr>{head}</tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {list.isPending ? <SkeletonRows rows={5} columns={columns} /> : items.map(row)}
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
