import { Button, SegmentedControl, Select, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconSitemap, IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { mapQuery } from '../../api/map.ts';
import type { ServiceMap } from '../../api/types.ts';
import { short } from '../../format/time.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useNow } from '../../parts/useNow.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { EdgeTable } from './EdgeTable.tsx';
import { kindOf, minutesOf, nameOf } from './look.ts';
import classes from './Map.module.css';
import { NodePanel } from './NodePanel.tsx';
import { Topology } from './Topology.tsx';

const ROUTE = '/home/projects/$project/map';
const MOST_STEPS = 4;

/** Who calls whom, how much of it fails, and how long it takes. */
export function MapPage() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const { environment, focus, depth = 1, node: selected, view = 'map', ...range } = useSearch({ from: ROUTE });
  const pausedAt = usePausedAt();
  const query = useQuery(
    mapQuery(projectId, { environment, focus, depth: focus ? depth : undefined }, range, pausedAt),
  );
  const [show, setShow] = useState(0);
  const map = query.data;
  const minutes = map ? minutesOf(map, query.dataUpdatedAt) : 1;
  const nodes = map?.nodes ?? [];
  const node = nodes.find((n) => n.id === selected);
  const set = useCallback(
    (next: Record<string, string | number | undefined>) =>
      void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false }),
    [navigate],
  );
  const select = useCallback((id: string | undefined) => set({ node: id }), [set]);
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
              <EdgeTable map={map} minutes={minutes} selected={selected} onSelect={select} />
            ) : (
              <Topology
                key={[projectId, environment, focus, depth].join('|')}
                map={map}
                minutes={minutes}
                selected={node?.id}
                show={show}
                onSelect={select}
              />
            )}
            {node && (
              <NodePanel
                map={map}
                node={node}
                minutes={minutes}
                focused={focus === node.id}
                onSelect={select}
                onFocus={(id) => set({ focus: id, depth: undefined })}
              />
            )}
          </div>
        )}
      </section>
    </div>
  );
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
