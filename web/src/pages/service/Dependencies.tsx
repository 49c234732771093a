import { IconTopologyStar3 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { mapQuery } from '../../api/map.ts';
import type { MapEdge, MapNode, ServiceMap } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useNow } from '../../parts/useNow.ts';
import { detailOf, ICONS, kindOf, minutesOf, nameOf, shareOf } from '../map/look.ts';
import type { ListProps } from './list.ts';

/** Who calls the service and whom it calls, as the map counts it. */
export function Dependencies({ project, service, environment, following }: ListProps) {
  const { t } = useTranslation();
  const focus = `service:${service}`;
  const map = useQuery(mapQuery(project, { environment, focus }, following.range ?? {}, following.pausedAt));
  if (map.isError && !map.data) return <Failure error={map.error} retry={() => void map.refetch()} />;
  const edges = map.data?.edges ?? [];
  if (map.data && edges.length === 0) {
    return (
      <section className="panel">
        <Empty icon={IconTopologyStar3} title={t('service.no_dependencies')}>
          <p>{t('service.nothing_hint')}</p>
        </Empty>
      </section>
    );
  }
  const ends = { project, map: map.data };
  return (
    <section className="panel" aria-busy={map.isPending}>
      <Stale query={map} />
      <Side {...ends} title={t('service.callers')} edges={edges.filter((e) => e.to === focus)} end="from" />
      <Side {...ends} title={t('service.callees')} edges={edges.filter((e) => e.from === focus)} end="to" />
      <div className="foot">
        <Link
          to="/projects/$project/map"
          params={{ project: String(project) }}
          search={(old) => ({ range: old.range, from: old.from, to: old.to, environment, focus })}
        >
          {t('service.on_map')}
        </Link>
      </div>
    </section>
  );
}

interface SideProps {
  project: number;
  map: ServiceMap | undefined;
  title: string;
  edges: MapEdge[];
  /** Which end of the edges is the other one. */
  end: 'from' | 'to';
}

function Side({ project, map, title, edges, end }: SideProps) {
  const { t } = useTranslation();
  const now = useNow();
  const seconds = map ? minutesOf(map, now) * 60 : 1;
  const nodes = new Map(map?.nodes.map((node) => [node.id, node]));
  if (map && edges.length === 0) return null;
  return (
    <div className="scroll-x">
      <table className="table" aria-label={title}>
        <thead>
          <tr>
            <th>{title}</th>
            <th className="num">{t('red.rate')}</th>
            <th className="num">{t('red.errors')}</th>
            <th className="num">{'p50'}</th>
            <th className="num">{'p95'}</th>
            <th className="num">{'p99'}</th>
          </tr>
        </thead>
        <tbody onKeyDown={rowKeys}>
          {map ? (
            edges.map((edge) => (
              <tr key={edge[end]} className={nodes.get(edge[end])?.kind === 'service' ? 'link' : undefined}>
                <td>
                  <Name project={project} node={nodes.get(edge[end])} />
                </td>
                <td className="num">{rate(edge.count / seconds)}</td>
                <td className="num" title={count(edge.errors)}>
                  {percent(shareOf(edge))}
                </td>
                <td className="num">{duration(edge.p50_ns)}</td>
                <td className="num">
                  <strong>{duration(edge.p95_ns)}</strong>
                </td>
                <td className="num">{duration(edge.p99_ns)}</td>
              </tr>
            ))
          ) : (
            <SkeletonRows rows={3} columns={6} />
          )}
        </tbody>
      </table>
    </div>
  );
}

function Name({ project, node }: { project: number; node?: MapNode }) {
  const { t } = useTranslation();
  if (!node) return null;
  const Icon = ICONS[kindOf(node)];
  return (
    <span className="row">
      <Icon size={15} stroke={1.6} role="img" aria-label={t(`map.kind.${kindOf(node)}`)} />
      {node.kind === 'service' ? (
        <Link
          className="row-link"
          to="/projects/$project/services/$service"
          params={{ project: String(project), service: node.name }}
          search={(old) => ({ range: old.range, from: old.from, to: old.to, tab: 'dependencies' as const })}
        >
          {node.name}
        </Link>
      ) : (
        nameOf(node, t)
      )}
      <span className="dim">{detailOf(node)}</span>
    </span>
  );
}
