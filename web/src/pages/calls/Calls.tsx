import { IconMessages, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { callsQuery } from '../../api/calls.ts';
import type { Call } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { ListFoot } from '../../parts/ListFoot.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { About } from './About.tsx';
import classes from './Calls.module.css';
import { Cost } from './Cost.tsx';
import { Filters, filterOf } from './Filters.tsx';
import { Outcome } from './Outcome.tsx';

/** What models were asked in this project, newest first. */
export function Calls() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const search = useSearch({ from: '/home/projects/$project/ai-calls' });
  const filter = filterOf(search);
  const range = { range: search.range, from: search.from, to: search.to };
  const list = useInfiniteQuery(callsQuery(projectId, filter, { range, pausedAt: usePausedAt() }));
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  const filtered = Object.values(filter).some((each) => each !== undefined);
  useTitle(t('nav.calls'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.calls')}</h1>
      </div>
      <p className="lead">{t('calls.lead')}</p>
      <Filters />
      <section className="panel" aria-busy={list.isPending}>
        <Stale query={list} />
        {list.isError && !list.data ? (
          <Failure error={list.error} retry={() => void list.refetch()} />
        ) : !list.isPending && items.length === 0 ? (
          <Empty icon={filtered ? IconSearch : IconMessages} title={t(filtered ? 'calls.no_match' : 'calls.none')}>
            <p>{t(filtered ? 'calls.no_match_hint' : 'calls.none_hint')}</p>
          </Empty>
        ) : (
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  <th>{t('calls.column.at')}</th>
                  <th>{t('calls.column.role')}</th>
                  <th>{t('calls.column.about')}</th>
                  <th>{t('calls.column.model')}</th>
                  <th>{t('calls.column.status')}</th>
                  <th className="num">{t('calls.column.latency')}</th>
                  <th className="num">{t('calls.column.input')}</th>
                  <th className="num">{t('calls.column.output')}</th>
                  <th className="num">{t('calls.column.cost')}</th>
                </tr>
              </thead>
              <tbody onKeyDown={rowKeys}>
                {list.isPending ? (
                  <SkeletonRows rows={8} columns={9} />
                ) : (
                  items.map((call) => <Row key={call.call_id} call={call} />)
                )}
              </tbody>
            </table>
          </div>
        )}
        {items.length > 0 && <ListFoot shown={items.length} total={total} list={list} />}
      </section>
    </div>
  );
}

function Row({ call }: { call: Call }) {
  return (
    <tr className="link">
      <td>
        <Link
          className="row-link"
          to="/projects/$project/ai-calls/$call"
          params={{ project: String(call.project_id), call: call.call_id }}
        >
          <When at={call.at} clock />
        </Link>
      </td>
      <td>
        <code>{`${call.role}@${call.role_version}`}</code>
      </td>
      <td>
        <About call={call} />
      </td>
      <td>
        {call.model}
        <div className={classes.second}>{call.provider}</div>
      </td>
      <td>
        <Outcome status={call.status} />
      </td>
      <td className="num">{durationMs(call.latency_ms)}</td>
      <td className="num">{count(call.usage.input_tokens)}</td>
      <td className="num">{count(call.usage.output_tokens)}</td>
      <td className="num">
        <Cost usage={call.usage} />
      </td>
    </tr>
  );
}
