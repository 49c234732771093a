import { Button } from '@mantine/core';
import { IconFlask, IconPlus } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { experimentsQuery } from '../../api/quality.ts';
import { meQuery } from '../../api/session.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { ListFoot } from '../../parts/ListFoot.tsx';
import { useEditsRoles } from '../../parts/OwnerSelect.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { ExperimentState } from './ExperimentState.tsx';

/** The experiments of a project, the newest first. */
export function Playground() {
  const { t } = useTranslation();
  const id = useProjectId();
  const project = useProject();
  const params = { project: String(id) };
  const { data: me } = useQuery(meQuery);
  const plays = useEditsRoles(project?.org_id);
  const list = useInfiniteQuery({ ...experimentsQuery(id, usePausedAt()), enabled: plays });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  useTitle(t('nav.playground'), project?.name);
  const problem = me && !plays ? new Problem(403) : list.error;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.playground')}</h1>
        {plays && (
          <Button
            leftSection={<IconPlus size={15} />}
            renderRoot={(props) => <Link {...props} to="/projects/$project/playground/new" params={params} />}
          >
            {t('playground.add')}
          </Button>
        )}
      </div>
      <p className="lead">{t('playground.lead')}</p>
      <section className="panel" aria-busy={list.isPending && !problem}>
        {problem && !list.data ? (
          <Failure error={problem} retry={problem === list.error ? () => void list.refetch() : undefined} />
        ) : list.data && items.length === 0 ? (
          <Empty icon={IconFlask} title={t('playground.none')}>
            <p>{t('playground.none_hint')}</p>
          </Empty>
        ) : (
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  <th>{t('playground.name')}</th>
                  <th>{t('calls.column.role')}</th>
                  <th>{t('playground.state')}</th>
                  <th className="num">{t('playground.cells')}</th>
                  <th>{t('playground.begun')}</th>
                  <th>{t('playground.by')}</th>
                </tr>
              </thead>
              <tbody onKeyDown={rowKeys}>
                {list.isPending && <SkeletonRows rows={5} columns={6} />}
                {items.map((each) => (
                  <tr key={each.id} className="link">
                    <td>
                      <Link
                        className="row-link"
                        to="/projects/$project/playground/$experiment"
                        params={{ ...params, experiment: String(each.id) }}
                      >
                        {each.name}
                      </Link>
                    </td>
                    <td>
                      <code>{each.role}</code>
                    </td>
                    <td>
                      <ExperimentState state={each.state} />
                    </td>
                    <td className="num">
                      {`${each.finished} / ${each.cells}`}
                      {each.failed > 0 && <div className="dim">{t('playground.failed', { failed: each.failed })}</div>}
                    </td>
                    <td className="nowrap">
                      <When at={each.created_at} />
                    </td>
                    <td>{each.created_by}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
        {items.length > 0 && <ListFoot shown={items.length} total={list.data?.pages[0]?.total} list={list} />}
      </section>
    </div>
  );
}
