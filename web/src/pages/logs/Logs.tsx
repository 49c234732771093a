import { ActionIcon, Button, SegmentedControl, Skeleton, Tooltip } from '@mantine/core';
import { IconLogs, IconPlayerPlay, IconPlayerStop, IconTextWrap, IconX } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useRouter, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { logFieldsQuery, logHistogramQuery, logsQuery } from '../../api/logs.ts';
import { asProblem } from '../../api/problem.ts';
import type { LogRecord } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { LogLines } from '../../parts/LogLines.tsx';
import { LEVELS } from '../../parts/levels.ts';
import { marker, toggle } from '../../parts/query/language.ts';
import { QueryField } from '../../parts/query/QueryField.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Views } from '../../parts/Views.tsx';
import { Download } from './Download.tsx';
import { Facets } from './Facets.tsx';
import { FirstLogs } from './FirstLogs.tsx';
import { Histogram, Swatch } from './Histogram.tsx';
import { LiveTail } from './LiveTail.tsx';
import classes from './Logs.module.css';
import { Patterns } from './Patterns.tsx';
import { RecordPanel } from './RecordPanel.tsx';
import { useLineKeys } from './useLineKeys.ts';

const ROUTE = '/home/projects/$project/logs';

// Fields that records can have and that are not among those of the newest ones.
const ALWAYS = ['level', 'service', 'trace', 'span', 'pattern', 'logger', 'exception', 'body', 'has'];

const NONE: LogRecord[] = [];

/** The log records of the chosen time: searched, counted, grouped, or as they arrive. */
export function Logs() {
  const { t } = useTranslation();
  const project = useProjectId();
  const name = useProject()?.name;
  const navigate = useNavigate();
  const router = useRouter();
  const search = useSearch({ from: ROUTE });
  const {
    q = '',
    levels,
    order = 'newest',
    tab = 'lines',
    live = false,
    record,
    side = 'details',
    cols,
    wrap = false,
  } = search;
  const range = { range: search.range, from: search.from, to: search.to };
  const pausedAt = usePausedAt();
  const following = { range, pausedAt };
  const filter = { q: q || undefined, levels };
  const only = useMemo(() => (levels ? levels.split(',') : []), [levels]);
  const columns = useMemo(() => (cols ? cols.split(',') : []), [cols]);
  const marks = useMemo(() => marker(q), [q]);
  const [focused, setFocused] = useState(false);
  const zooms = useRef(0);

  const list = useInfiniteQuery({
    ...logsQuery(project, { ...filter, order }, following),
    enabled: tab === 'lines' && !live,
  });
  const histogram = useQuery(logHistogramQuery(project, { q: filter.q }, following));
  const facets = useQuery(logFieldsQuery(project, filter, following));
  const known = useQuery({ ...logFieldsQuery(project, {}, following), enabled: focused });
  useTitle(t('nav.logs'), name);

  const set = useCallback(
    (next: Record<string, string | boolean | undefined>, replace = false) =>
      void navigate({ to: '.', search: (old: object) => ({ ...old, ...next }), resetScroll: false, replace }),
    [navigate],
  );
  const onToggle = (field: string, value: string, not: boolean) =>
    set({ q: toggle(q, field, value, not) || undefined, tab: undefined });
  const onColumn = (field: string) => {
    const next = columns.includes(field) ? columns.filter((c) => c !== field) : [...columns, field];
    set({ cols: next.join(',') || undefined });
  };
  const onLevel = (level: string) => {
    const next = LEVELS.filter((each) => (each === level) !== only.includes(each));
    set({ levels: next.join(',') || undefined });
  };
  const open = useCallback(
    (id: string | undefined) => set({ record: id, side: id && search.side }, true),
    [set, search.side],
  );
  const onSelect = (found: LogRecord) => open(found.id === record ? undefined : found.id);

  const items = useMemo(() => list.data?.pages.flatMap((page) => page.items) ?? [], [list.data]);
  useLineKeys(tab === 'lines' && !live ? items : NONE, record, open);
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list;
  const onEnd = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);

  // What is wrong with the query is said at the query, by whichever answer came first.
  const mistake = [list, histogram, facets]
    .filter((each) => each.isError)
    .map((each) => asProblem(each.error))
    .find((problem) => problem.field === 'q')?.detail;
  const counted = histogram.data;
  const total = counted
    ? counted.levels.reduce((sum, each) => (only.length === 0 || only.includes(each.level) ? sum + each.total : sum), 0)
    : 0;
  const filtered = Boolean(q || levels);

  return (
    <div className={`page ${classes.page}`}>
      <div className="page-head">
        <h1>{t('nav.logs')}</h1>
        <SegmentedControl
          aria-label={t('logs.view')}
          value={tab}
          onChange={(next) => set({ tab: next === 'lines' ? undefined : next, live: undefined })}
          data={(['lines', 'patterns'] as const).map((value) => ({ value, label: t(`logs.tab.${value}`) }))}
        />
        <Button
          variant={live ? 'filled' : 'default'}
          aria-pressed={live}
          leftSection={live ? <IconPlayerStop size={15} /> : <IconPlayerPlay size={15} />}
          onClick={() => set({ live: !live || undefined, tab: undefined, record: undefined })}
        >
          {t('logs.live')}
        </Button>
        <SegmentedControl
          aria-label={t('logs.order')}
          value={order}
          disabled={live || tab === 'patterns'}
          onChange={(next) => set({ order: next === 'newest' ? undefined : next })}
          data={(['newest', 'oldest'] as const).map((value) => ({ value, label: t(`logs.${value}`) }))}
        />
        <Tooltip label={t('logs.wrap')}>
          <ActionIcon
            variant={wrap ? 'light' : 'default'}
            size={30}
            aria-label={t('logs.wrap')}
            aria-pressed={wrap}
            onClick={() => set({ wrap: !wrap || undefined })}
          >
            <IconTextWrap size={16} />
          </ActionIcon>
        </Tooltip>
        <Download project={project} filter={{ ...filter, order }} range={range} total={total} />
      </div>

      <div className={classes.search}>
        <QueryField
          label={t('logs.query')}
          placeholder={t('logs.placeholder')}
          value={q}
          onRun={(next) => set({ q: next || undefined })}
          mistake={mistake}
          known={[
            ...(known.data?.fields ?? []),
            ...ALWAYS.filter((field) => !known.data?.fields.some((each) => each.field === field)).map((field) => ({
              field,
              values: [],
            })),
          ]}
          onFocus={() => setFocused(true)}
        />
        <Views
          project={project}
          kind="logs"
          query={whole(q, only)}
          onChoose={(next) => set({ q: next, levels: undefined })}
        />
      </div>

      <section className={`panel ${classes.counts}`} aria-busy={histogram.isPending}>
        <div className={classes.levels} role="group" aria-label={t('logs.levels')}>
          {LEVELS.map((level) => {
            const n = counted?.levels.find((each) => each.level === level)?.total ?? 0;
            if (n === 0 && !only.includes(level)) return null;
            return (
              <button
                key={level}
                type="button"
                aria-pressed={only.includes(level)}
                data-out={(only.length > 0 && !only.includes(level)) || undefined}
                onClick={() => onLevel(level)}
              >
                <Swatch level={level} />
                {t(`logs.level.${level}`)} <em>{count(n)}</em>
              </button>
            );
          })}
          {columns.map((field) => (
            <button
              key={field}
              type="button"
              className={classes.chosen}
              aria-label={`${t('logs.column_remove')}: ${field}`}
              onClick={() => onColumn(field)}
            >
              {field.replace(/^attr\./, '')}
              <IconX size={12} aria-hidden />
            </button>
          ))}
          <span className={classes.total}>{counted && t('logs.total', { count: total, shown: count(total) })}</span>
        </div>
        {counted ? (
          <Histogram
            data={counted}
            only={only}
            onZoom={(from, to) => {
              zooms.current++;
              set({ range: undefined, from: from.toISOString(), to: to.toISOString() });
            }}
            onBack={() => {
              if (zooms.current === 0) return;
              zooms.current--;
              router.history.back();
            }}
          />
        ) : (
          !mistake && <Skeleton height={90} m={10} width="auto" />
        )}
      </section>

      <section
        className={`panel ${classes.main}`}
        data-panel={record ? true : undefined}
        aria-busy={list.isPending && !live}
      >
        {facets.data ? (
          <Facets facets={facets.data} query={q} columns={columns} onToggle={onToggle} onColumn={onColumn} />
        ) : (
          <div className={classes.blank}>{!mistake && <Skeleton height={200} />}</div>
        )}
        <div className={classes.list}>
          {tab === 'patterns' ? (
            <Patterns
              project={project}
              filter={filter}
              following={following}
              onPattern={(pattern, not) =>
                set({ q: toggle(q, 'pattern', pattern, not), tab: not ? 'patterns' : undefined })
              }
            />
          ) : live ? (
            <LiveTail
              key={`${q} ${levels}`}
              project={project}
              filter={filter}
              paused={pausedAt !== undefined}
              columns={columns}
              wrap={wrap}
              marks={marks}
              selected={record}
              onSelect={onSelect}
              onClose={() => open(undefined)}
            />
          ) : list.isError && !list.data ? (
            mistake ? (
              <Empty icon={IconLogs} title={t('logs.mistake')}>
                <p>{t('logs.mistake_hint')}</p>
              </Empty>
            ) : (
              <Failure error={list.error} retry={() => void list.refetch()} />
            )
          ) : list.isPending ? (
            <Lines />
          ) : items.length === 0 ? (
            <Empty icon={IconLogs} title={t(filtered ? 'logs.no_match' : 'logs.none')}>
              <p>{t(filtered ? 'logs.no_match_hint' : 'logs.none_hint')}</p>
              {!filtered && <FirstLogs project={project} />}
            </Empty>
          ) : (
            <>
              <Stale query={list} />
              <div className={classes.grow}>
                <LogLines
                  label={t('logs.keys')}
                  records={items}
                  columns={columns}
                  wrap={wrap}
                  marks={marks}
                  selected={record}
                  onSelect={onSelect}
                  onEnd={onEnd}
                />
              </div>
              <div className="foot">
                <span>
                  {t('list.shown', { shown: count(items.length), total: count(Math.max(total, items.length)) })}
                </span>
                {isFetchingNextPage && <span>{t('logs.loading')}</span>}
              </div>
            </>
          )}
        </div>
        {record && (
          <RecordPanel
            project={project}
            id={record}
            tab={side}
            columns={columns}
            marks={marks}
            onTab={(next) => set({ side: next === 'details' ? undefined : next }, true)}
            onToggle={onToggle}
            onColumn={onColumn}
            onOpen={open}
            onClose={() => open(undefined)}
          />
        )}
      </section>
    </div>
  );
}

/** The search with the levels that were chosen beside it, so that a saved one finds the same records. */
const whole = (q: string, levels: string[]) => {
  if (levels.length === 0) return q;
  const any = levels.map((level) => `level:${level}`).join(' OR ');
  return q ? `(${q}) (${any})` : any;
};

/** Lines in the height of those to come. */
function Lines() {
  return Array.from({ length: 16 }, (_, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
    <Skeleton key={i} height={10} mx={12} my={12} width={`${50 + ((i * 17) % 42)}%`} />
  ));
}
