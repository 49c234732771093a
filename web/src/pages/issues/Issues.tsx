import { Checkbox, Select, Tabs } from '@mantine/core';
import { IconBug, IconCircleCheck, IconSearch } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  aboutPage,
  ISSUE_SORTS,
  ISSUE_STATES,
  type IssueSort,
  type IssueTab,
  issuesQuery,
  turned,
} from '../../api/issues.ts';
import { homeQuery } from '../../api/project.ts';
import type { IssueItem } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { simpleType } from '../../format/type.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { Bars } from '../../parts/Bars.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { IssueState } from '../../parts/IssueState.tsx';
import { ListFoot } from '../../parts/ListFoot.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import classes from './Issues.module.css';
import { Narrow } from './Narrow.tsx';
import { TurnMenu } from './TurnMenu.tsx';
import { useTurn } from './useTurn.tsx';

const ROUTE = '/home/projects/$project/issues';

/** The inbox of errors: what nobody has dealt with comes first. */
export function Issues() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const {
    state = 'open',
    sort = 'last_seen',
    q = '',
    service,
    version,
    assignee,
    ...range
  } = useSearch({
    from: ROUTE,
  });
  const pausedAt = usePausedAt();
  const following = { range, pausedAt };
  const filter = { state, q, service, version, assignee: assignee ? Number(assignee) : undefined };
  const list = useInfiniteQuery(issuesQuery(projectId, { ...filter, sort }, following));
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const total = list.data?.pages[0]?.total ?? 0;
  const about = aboutPage(list.data?.pages[0]);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const picked = items.filter((i) => chosen.has(i.id));
  const turn = useTurn(projectId);
  const set = (next: Record<string, string | undefined>) => {
    setChosen(new Set());
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true });
  };
  const toggle = (id: number) =>
    setChosen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  useTitle(t('nav.issues'), project?.name);

  /** As in a mail box: j and k walk, x chooses, e resolves, i ignores. */
  const keys = (event: KeyboardEvent<HTMLElement>) => {
    rowKeys(event);
    if (event.ctrlKey || event.metaKey || event.altKey || (event.target as HTMLElement).tagName === 'INPUT') return;
    const links = [...event.currentTarget.querySelectorAll<HTMLElement>('.row-link')];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const item = items[at];
    if (event.key === 'j' || event.key === 'k') {
      event.preventDefault();
      links[Math.min(Math.max(at + (event.key === 'j' ? 1 : -1), 0), links.length - 1)]?.focus();
    }
    if (!item || !canWrite) return;
    const about = picked.length > 0 ? picked : [item];
    if (event.key === 'x') toggle(item.id);
    if (event.key === 'e' || event.key === 'i') {
      const next = event.key === 'e' ? 'resolved' : 'ignored';
      (links[at + 1] ?? links[at - 1])?.focus();
      void turn(about, (i) => turned(i, next), next);
      setChosen(new Set());
    }
  };
  const tabCount = (tab: IssueTab) => {
    const states = about?.states;
    if (!states) return undefined;
    return tab === 'open' ? (states.new ?? 0) + (states.regressed ?? 0) + (states.ongoing ?? 0) : (states[tab] ?? 0);
  };

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.issues')}</h1>
        <Filter width={260} label={t('issues.filter')} value={q} onChange={(v) => set({ q: v || undefined })} />
        <Narrow project={projectId} filter={filter} following={following} onChange={set} />
        <Select
          aria-label={t('issues.sort')}
          w={150}
          allowDeselect={false}
          value={sort}
          data={ISSUE_SORTS.map((value) => ({ value, label: t(`issues.by.${value}`) }))}
          onChange={(v) => set({ sort: v === 'last_seen' ? undefined : (v as IssueSort) })}
        />
      </div>
      <Tabs value={state} onChange={(v) => set({ state: v === 'open' ? undefined : (v as IssueTab) })}>
        <Tabs.List mb={10}>
          {ISSUE_STATES.map((tab) => (
            <Tabs.Tab key={tab} value={tab}>
              {t(`issues.state.${tab}`)}
              {tabCount(tab) !== undefined && <span className={classes.count}>{count(tabCount(tab) ?? 0)}</span>}
            </Tabs.Tab>
          ))}
        </Tabs.List>
      </Tabs>
      <section className="panel" aria-busy={list.isPending}>
        <Stale query={list} />
        {canWrite && items.length > 0 && (
          <div className={classes.bulk}>
            <Checkbox
              aria-label={t('issues.choose_all')}
              checked={picked.length === items.length}
              indeterminate={picked.length > 0 && picked.length < items.length}
              onChange={() => setChosen(picked.length > 0 ? new Set() : new Set(items.map((i) => i.id)))}
            />
            {picked.length > 0 ? (
              <>
                <span>{t('issues.chosen', { n: picked.length })}</span>
                <TurnMenu project={projectId} issues={picked} onDone={() => setChosen(new Set())} />
              </>
            ) : (
              <span className="dim">{t('issues.keys')}</span>
            )}
          </div>
        )}
        {list.isError && !list.data ? (
          <Failure error={list.error} retry={() => void list.refetch()} />
        ) : !list.isPending && items.length === 0 ? (
          <Nothing project={projectId} filtered={Boolean(q || service || version || assignee)} />
        ) : (
          <div className={classes.scroll}>
            <table className="table">
              <thead>
                <tr>
                  {canWrite && <th className={classes.check} aria-label={t('issues.choose_one')} />}
                  <th>{t('issues.column.what')}</th>
                  <th className={classes.state}>{t('issues.column.state')}</th>
                  <th>{t('issues.column.when')}</th>
                  <th className="num">{t('issues.column.count')}</th>
                  <th className="num">{t('issues.column.users')}</th>
                  <th>{t('issues.column.seen')}</th>
                  <th>{t('issues.column.who')}</th>
                </tr>
              </thead>
              <tbody onKeyDown={keys}>
                {list.isPending ? (
                  <SkeletonRows rows={10} columns={canWrite ? 8 : 7} />
                ) : (
                  items.map((item) => (
                    <Row
                      key={item.id}
                      item={item}
                      chosen={chosen.has(item.id)}
                      onChoose={canWrite ? () => toggle(item.id) : undefined}
                    />
                  ))
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

function Row({ item, chosen, onChoose }: { item: IssueItem; chosen: boolean; onChoose?: () => void }) {
  const { t } = useTranslation();
  return (
    <tr className="link" data-chosen={chosen || undefined}>
      {onChoose && (
        <td className={classes.check}>
          <Checkbox
            aria-label={t('issues.choose', { id: item.id, type: item.type })}
            checked={chosen}
            onChange={onChoose}
          />
        </td>
      )}
      <td className={classes.what}>
        <div className={`clip ${classes.title}`}>
          <Link
            className="row-link"
            to="/projects/$project/issues/$issue"
            params={{ project: String(item.project_id), issue: String(item.id) }}
          >
            {simpleType(item.type) || t('issues.no_type')}
          </Link>
          <span className="soft">{item.message}</span>
        </div>
        <div className={`clip dim ${classes.second}`}>
          {[item.services.join(', '), item.culprit].filter(Boolean).join(' · ')}
        </div>
      </td>
      <td>
        <IssueState state={item.state} />
      </td>
      <td>
        <Bars bars={item.bars} label={t('issues.bars', { n: count(item.count) })} />
      </td>
      <td className="num">
        <strong>{count(item.count)}</strong>
      </td>
      <td className="num">{item.users > 0 ? count(item.users) : <span className="dim">{'–'}</span>}</td>
      <td>
        <When at={item.last_seen} />
        <div className={`dim nowrap ${classes.second}`}>
          {t('issues.since')} <When at={item.first_seen} />
        </div>
      </td>
      <td>{item.assignee || <span className="dim">{t('issues.nobody')}</span>}</td>
    </tr>
  );
}

function Nothing({ project, filtered }: { project: number; filtered: boolean }) {
  const { t } = useTranslation();
  const { data: home } = useQuery(homeQuery(project));
  if (filtered) {
    return (
      <Empty icon={IconSearch} title={t('issues.no_match')}>
        <p>{t('issues.no_match_hint')}</p>
      </Empty>
    );
  }
  return (
    <Empty icon={home?.receiving === false ? IconBug : IconCircleCheck} title={t('issues.none')}>
      <p>{t('issues.none_hint')}</p>
      {home?.receiving === false && <FirstTelemetry project={project} />}
    </Empty>
  );
}
