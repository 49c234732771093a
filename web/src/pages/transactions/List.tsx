import { Button } from '@mantine/core';
import { IconArrowsExchange, IconX } from '@tabler/icons-react';
import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Dated } from '../../api/pages.ts';
import type { Transaction } from '../../api/types.ts';
import { duration, exactMs } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { short } from '../../format/time.ts';
import { Bar } from '../../parts/Bar.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { ListFoot } from '../../parts/ListFoot.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import classes from './Transactions.module.css';

interface Props {
  project: number;
  list: UseInfiniteQueryResult<InfiniteData<Dated<Transaction>>>;
  /** How many there are; absent while they are counted. */
  total?: number;
  filtered: boolean;
}

/** Transactions row by row, each a link to its trace. */
export function List({ project, list, total, filtered }: Props) {
  const { t } = useTranslation();
  const now = useNow();
  const loaded = list.data?.pages ?? [];
  const items = loaded.flatMap((p) => p.items ?? []);
  const slowest = Math.max(1, ...items.map((i) => i.elapsed_ns));
  return (
    <>
      <Stale query={list} />
      {list.isError && !list.data ? (
        <Failure error={list.error} retry={() => void list.refetch()} />
      ) : !list.isPending && items.length === 0 ? (
        <Empty icon={IconArrowsExchange} title={t(filtered ? 'transactions.no_match' : 'transactions.none')}>
          <p>{t(filtered ? 'transactions.no_match_hint' : 'transactions.none_hint')}</p>
          {!filtered && <FirstTelemetry project={project} />}
        </Empty>
      ) : (
        <div className="scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th>{t('transactions.column.endpoint')}</th>
                <th>{t('transactions.column.service')}</th>
                <th className="num">{t('transactions.column.elapsed')}</th>
                <th className={classes.barHead} aria-label={t('transactions.column.bar')} />
                <th className="num">{t('transactions.column.sql')}</th>
                <th className="num">{t('transactions.column.calls')}</th>
                <th className="num">{t('transactions.column.status')}</th>
                <th>{t('transactions.column.start')}</th>
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {list.isPending ? (
                <SkeletonRows rows={14} columns={8} />
              ) : (
                items.map((item) => (
                  <Row key={`${item.trace_id}-${item.span_id}`} item={item} slowest={slowest} project={project} />
                ))
              )}
            </tbody>
          </table>
        </div>
      )}
      {items.length > 0 && (
        <ListFoot shown={items.length} total={total} list={list}>
          {loaded.length > 1 && loaded[0] && (
            <>
              <span className="foot-end">{t('list.held', { time: short(loaded[0].at, now) })}</span>
              <Button
                variant="default"
                size="compact-xs"
                loading={list.isRefetching && !list.isFetchingNextPage}
                onClick={() => void list.refetch()}
              >
                {t('list.renew')}
              </Button>
            </>
          )}
        </ListFoot>
      )}
    </>
  );
}

function Row({ item, slowest, project }: { item: Transaction; slowest: number; project: number }) {
  const { t } = useTranslation();
  const place = [item.environment, item.instance].filter(Boolean).join(' · ');
  return (
    <tr className="link">
      <td>
        <div className="row">
          <Link
            className="row-link"
            to="/projects/$project/traces/$traceId"
            params={{ project: String(project), traceId: item.trace_id }}
            search={{ span: item.span_id }}
          >
            {item.endpoint}
          </Link>
          {item.error && (
            <IconX
              size={14}
              stroke={2.6}
              color="var(--mx-critical)"
              role="img"
              aria-label={t('trace.error')}
              style={{ flex: 'none' }}
            />
          )}
        </div>
        {item.exception && (
          <div className={`clip dim ${classes.second}`} title={item.exception}>
            {item.exception}
          </div>
        )}
      </td>
      <td>
        {item.service}
        <div className={`clip dim ${classes.second}`} title={place}>
          {place}
        </div>
      </td>
      <td className="num">
        <strong>{exactMs(item.elapsed_ns)}</strong>
      </td>
      <td>
        <Bar share={item.elapsed_ns / slowest} tone={item.error ? 'critical' : undefined} />
      </td>
      <td className="num">
        {item.sql_count > 0 && t('transactions.sum', { time: duration(item.sql_ns), times: count(item.sql_count) })}
      </td>
      <td className="num">
        {item.call_count > 0 && t('transactions.sum', { time: duration(item.call_ns), times: count(item.call_count) })}
      </td>
      <td className="num">{item.http_status || ''}</td>
      <td>
        <When at={item.start} clock />
      </td>
    </tr>
  );
}
