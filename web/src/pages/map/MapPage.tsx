import { Button, SegmentedControl, Select, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconSitemap, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { mapQuery } from '../../api/map.ts';
import type { MapEdge, MapNode, ServiceMap } from '../../api/types.ts';
import { short } from '../../format/time.ts';
import { usePausedAt } from '../../frame/live.ts';
import type { RangeSearch } from '../../frame/range.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useNow } from '../../parts/useNow.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { EdgePanel } from './EdgePanel.tsx';
import { EdgeTable } from './EdgeTable.tsx';
import { kindOf, minutesOf, nameOf } from './look.ts';
import classes from './Map.module.css';
import { atMoment, edgeId, momentAt, momentsOf, windowOf } from './moments.ts';
import { NodePanel } from './NodePanel.tsx';
import { TimeTravel, TravelButton } from './TimeTravel.tsx';
import { Topology } from './Topology.tsx';

const ROUTE = '/home/projects/$project/map';
const MOST_STEPS = 4;

/** Who calls whom, how much of it fails, and how long it takes. */
export function MapPage() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const {
    environment,
    focus,
    depth = 1,
    node: selected,
    edge: selectedEdge,
    view = 'map',
    sort = 'rate',
    q = '',
    at,
    ...range
  } = useSearch({ from: ROUTE });
  const pausedAt = usePausedAt();
  const query = useQuery(
    mapQuery(projectId, { environment, focus, depth: focus ? depth : undefined }, range, pausedAt),
  );
  const [show, setShow] = useState(0);
  const whole = query.data;
  const travel = useTravel(whole, at, environment);
  const { map = whole, window } = travel;
  const minutes = map ? minutesOf(map, query.dataUpdatedAt) : 1;
  const wholeMinutes = whole ? minutesOf(whole, query.dataUpdatedAt) : 1;
  const nodes = map?.nodes ?? [];
  const node = nodes.find((n) => n.id === selected);
  const edge = map?.edges.find((e) => edgeId(e) === selectedEdge);
  const ends = edge && { from: nodes.find((n) => n.id === edge.from), to: nodes.find((n) => n.id === edge.to) };
  const set = useCallback(
    (next: Record<string, string | number | undefined>) =>
      void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false }),
    [navigate],
  );
  const select = useCallback((id: string | undefined) => set({ node: id, edge: undefined }), [set]);
  const selectEdge = useCallback((id: string) => set({ node: undefined, edge: id }), [set]);
  const compared = useMemo(() => {
    if (!travel.map || !whole) return { node: () => undefined, edge: () => undefined };
    const byNode = new Map(whole.nodes.map((n) => [n.id, { red: n, minutes: wholeMinutes }]));
    const byEdge = new Map(whole.edges.map((e) => [edgeId(e), { red: e, minutes: wholeMinutes }]));
    return { node: (n: MapNode) => byNode.get(n.id), edge: (e: MapEdge) => byEdge.get(edgeId(e)) };
  }, [travel.map, whole, wholeMinutes]);
  useTitle(t('nav.map'), project?.name);

  return (
    <div className={`page ${classes.page}`}>
      <div className="page-head">
        <h1>{t('nav.map')}</h1>
        {focus && (
          <>
            <Button
              variant="light"
              rightSection={<IconX size={14} />}
              aria-label={t('map.focus_end')}
              onClick={() => set({ focus: undefined, depth: undefined })}
            >
              {t('map.focus_on', { name: nameOfFocus(map, focus, t) })}
            </Button>
            <SegmentedControl
              aria-label={t('map.depth')}
              value={String(depth)}
              onChange={(v) => set({ depth: v === '1' ? undefined : Number(v) })}
              data={Array.from({ length: MOST_STEPS }, (_, i) => String(i + 1))}
            />
          </>
        )}
        <Select
          w={200}
          searchable
          aria-label={t('map.find')}
          placeholder={t('map.find')}
          nothingFoundMessage={t('map.not_found')}
          value={null}
          data={nodes.map((n) => ({ value: n.id, label: `${nameOf(n, t)} (${t(`map.kind.${kindOf(n)}`)})` }))}
          onChange={(id) => {
            if (!id) return;
            select(id);
            setShow((n) => n + 1);
          }}
        />
        <Select
          w={150}
          clearable
          aria-label={t('map.environment')}
          placeholder={t('map.all_environments')}
          value={environment ?? null}
          data={[...new Set([...(map?.environments ?? []), ...(environment ? [environment] : [])])]}
          onChange={(v) => set({ environment: v ?? undefined })}
        />
        {view === 'list' && (
          <Filter width={180} label={t('map.filter')} value={q} onChange={(v) => set({ q: v || undefined })} />
        )}
        {at === undefined && <TravelButton disabled={!whole} onClick={travel.start} />}
        <SegmentedControl
          aria-label={t('map.view')}
          value={view}
          onChange={(v) => set({ view: v === 'map' ? undefined : v })}
          data={[
            { value: 'map', label: t('map.view_map') },
            { value: 'list', label: t('map.view_list') },
          ]}
        />
      </div>
      <section className={`panel ${classes.panel}`} aria-busy={query.isPending}>
        <Stale query={query} />
        {map && <Notes map={map} />}
        {travel.moments && (
          <TimeTravel
            project={projectId}
            environment={environment}
            moments={travel.moments}
            index={travel.index}
            loading={travel.loading}
            onMove={travel.move}
            onClose={travel.end}
          />
        )}
        {query.isError && !map ? (
          <Failure error={query.error} retry={() => void query.refetch()}>
            {focus && (
              <Button variant="default" onClick={() => set({ focus: undefined, depth: undefined })}>
                {t('map.focus_end')}
              </Button>
            )}
          </Failure>
        ) : !map ? (
          <Skeleton height="100%" mih={420} radius={8} />
        ) : nodes.length === 0 ? (
          <Empty icon={IconSitemap} title={t('map.none')}>
            <p>{t('map.none_hint')}</p>
            {!environment && <FirstTelemetry project={projectId} />}
          </Empty>
        ) : (
          <div className={classes.body}>
            {view === 'list' ? (
              <EdgeTable
                map={map}
                minutes={minutes}
                whole={compared.edge}
                sort={sort}
                typed={q}
                selected={selectedEdge}
                onSort={(by) => set({ sort: by === 'rate' ? undefined : by })}
                onSelect={selectEdge}
              />
            ) : (
              <Topology
                key={[projectId, environment, focus, depth].join('|')}
                map={map}
                minutes={minutes}
                whole={compared.node}
                selected={node?.id}
                selectedEdge={selectedEdge}
                show={show}
                onSelect={select}
                onSelectEdge={selectEdge}
              />
            )}
            {node && (
              <NodePanel
                map={map}
                node={node}
                minutes={minutes}
                focused={focus === node.id}
                whole={compared.node(node)}
                window={window}
                onSelect={select}
                onSelectEdge={selectEdge}
                onFocus={(id) => set({ focus: id, depth: undefined })}
              />
            )}
            {edge && ends?.from && ends.to && (
              <EdgePanel
                edge={edge}
                from={ends.from}
                to={ends.to}
                minutes={minutes}
                whole={compared.edge(edge)}
                window={window}
                onSelect={select}
              />
            )}
          </div>
        )}
      </section>
    </div>
  );
}

/** One moment of the range instead of all of it, as long as the address names one. */
function useTravel(whole: ServiceMap | undefined, at: string | undefined, environment: string | undefined) {
  const project = useProjectId();
  const navigate = useNavigate();
  const before = useRef<RangeSearch>(undefined);
  const moments = useMemo(
    () => (whole && at !== undefined ? momentsOf(Date.parse(whole.from), Date.parse(whole.to)) : undefined),
    [whole, at],
  );
  const index = moments && at !== undefined ? momentAt(moments, Date.parse(at)) : 0;
  const window = moments ? windowOf(moments, index) : {};
  // The whole environment: what is around the focus may not have called it in this moment.
  const query = useQuery({
    ...mapQuery(project, { environment }, window, 0),
    enabled: moments !== undefined,
  });
  const map = useMemo(
    () => (whole && moments && query.data ? atMoment(whole, query.data) : undefined),
    [whole, moments, query.data],
  );
  const go = useCallback(
    (next: RangeSearch & { at: string | undefined }) =>
      void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false }),
    [navigate],
  );
  const move = useCallback(
    (to: number) => {
      if (moments)
        void navigate({
          to: '.',
          search: (old) => ({ ...old, at: windowOf(moments, to).from }),
          replace: true,
          resetScroll: false,
        });
    },
    [moments, navigate],
  );
  return {
    moments,
    index,
    window,
    map,
    loading: query.isFetching,
    move,
    /** Begins at the newest moment; the range stands from now on, so that the address keeps its meaning. */
    start: () => {
      if (!whole) return;
      const { count } = momentsOf(Date.parse(whole.from), Date.parse(whole.to));
      const { from } = windowOf(momentsOf(Date.parse(whole.from), Date.parse(whole.to)), count - 1);
      void navigate({
        to: '.',
        search: ({ range, from: since, to: until, ...old }) => {
          before.current = { range, from: since, to: until };
          return { ...old, from: whole.from, to: whole.to, at: from };
        },
        resetScroll: false,
      });
    },
    end: () => go({ at: undefined, ...before.current }),
  };
}

function nameOfFocus(map: ServiceMap | undefined, focus: string, t: Parameters<typeof nameOf>[1]) {
  const node = map?.nodes?.find((n) => n.id === focus);
  return node ? nameOf(node, t) : focus.slice(focus.indexOf(':') + 1);
}

/** What the map does not show, and why. */
function Notes({ map }: { map: ServiceMap }) {
  const { t } = useTranslation();
  const now = useNow();
  const notes = [
    map.truncated && t('map.cut', { shown: map.nodes?.length ?? 0, total: map.total_nodes }),
    map.sampled_by > 1 && t('map.sampled', { n: map.sampled_by }),
    map.missing_until && t('map.missing', { time: short(map.missing_until, now) }),
  ].filter(Boolean);
  if (notes.length === 0) return null;
  return (
    <div className={classes.notes} role="status">
      <IconAlertTriangle size={15} aria-hidden />
      {notes.join(' ')}
    </div>
  );
}
