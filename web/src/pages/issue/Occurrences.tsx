import { Button } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { occurrencesQuery } from '../../api/issues.ts';
import type { IssueDetail } from '../../api/types.ts';
import { usePausedAt } from '../../frame/live.ts';
import type { RangeSearch } from '../../frame/range.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { When } from '../../parts/When.tsx';
import classes from './Issue.module.css';

/** When it happened, each with its trace. */
export function Occurrences({ issue, range }: { issue: IssueDetail; range: RangeSearch }) {
  const { t } = useTranslation();
  const list = useInfiniteQuery(occurrencesQuery(issue.project_id, issue.id, { range, pausedAt: usePausedAt() }));
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const params = { project: String(issue.project_id), issue: String(issue.id) };
  if (list.isError && !list.data) return <Failure error={list.error} retry={() => void list.refetch()} />;
  return (
    <section className="panel" aria-busy={list.isPending}>
      <Stale query={list} />
      {!list.isPending && items.length === 0 ? (
        <Empty icon={IconSearch} title={t('issue.no_occurrence')}>
          <p>{t('issue.no_occurrence_hint')}</p>
        </Empty>
      ) : (
        <div className="scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th>{t('issue.fact.time')}</th>
                <th>{t('issue.fact.message')}</th>
                <th>{t('issue.fact.service')}</th>
                <th>{t('issue.fact.version')}</th>
                <th>{t('issue.fact.user')}</th>
                <th>{t('issue.fact.trace')}</th>
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {list.isPending ? (
                <SkeletonRows rows={8} columns={6} />
              ) : (
                items.map((o) => (
                  <tr key={o.id} className="link">
                    <td className="nowrap">
                      <Link
                        className="row-link"
                        to="/projects/$project/issues/$issue"
                        params={params}
                        search={(old) => ({ ...old, tab: undefined, occurrence: o.id })}
                      >
                        <When at={o.time} clock />
                      </Link>
                    </td>
                    <td className={classes.wide}>
                      <div className="clip">{o.message}</div>
                      <div className="clip dim">{o.endpoint}</div>
                    </td>
                    <td>{o.service}</td>
                    <td>{o.version}</td>
                    <td>{o.user}</td>
                    <td className={classes.above}>
                      {o.trace_id && (
                        <Link
                          to="/projects/$project/traces/$traceId"
                          params={{ project: params.project, traceId: o.trace_id }}
                          search={{ span: o.span_id || undefined }}
                        >
                          <code>{o.trace_id.slice(0, 8)}</code>
                        </Link>
                      )}
                    </td>
                  </tr>
                ))
              )}
            </tbody>
          </table>
        </div>
      )}
      {list.hasNextPage && (
        <div className="foot">
          <Button
            variant="default"
            size="compact-xs"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            {t('list.more')}
          </Button>
        </div>
      )}
    </section>
  );
}
