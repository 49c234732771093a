import { IconTopologyStar3 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { mapQuery } from '../../api/map.ts';
import type { MapEdge, MapNode } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useNow } from '../../parts/useNow.ts';
import { detailOf, healthOf, ICONS, kindOf, minutesOf, nameOf, shareOf } from '../map/look.ts';
import { edgeId } from '../map/moments.ts';
import type { ListProps } from './list.ts';
import classes from './Service.module.css';

/** Who calls the service and whom it calls, as the map counts it. */
export function Dependencies({ project, service, environment, following }: ListProps) {
  const { t } = useTranslation();
  const now = useNow();
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
  const seconds = map.data ? minutesOf(map.data, now) * 60 : 1;
  const nodes = new Map(map.data?.nodes.map((node) => [node.id, node]));
  const sides = [
    { title: t('map.callers'), end: 'from', edges: edges.filter((e) => e.to === focus) },
    { title: t('map.callees'), end: 'to', edges: edges.filter((e) => e.from === focus) },
  ] as const;
  return (
    <section className="panel" aria-busy={map.isPending}>
      <Stale query={map} />
      <div className="scroll-x">
        <table className="table" aria-label={t('service.tab.dependencies')}>
          <thead>
            <tr>
              <th>{t('map.other_end')}</th>
              <th className="num">{t('red.rate')}</th>
              <th className="num">{t('red.errors')}</th>
              <th className="num">{t('map.no_answer')}</th>
              <th className="num">{'p50'}</th>
              <th className="num">{'p95'}</th>
              <th className="num">{'p99'}</th>
              <th className="num">{t('map.max')}</th>
              <th aria-label={t('map.edge_open')} />
            </tr>
          </thead>
          {sides.map(({ title, end, edges }) => (
            <tbody key={end} onKeyDown={rowKeys}>
              <tr>
                <th scope="rowgroup" colSpan={9} className={classes.group}>
                  {title}
                </th>
              </tr>
              {!map.data ? (
                <SkeletonRows rows={3} columns={9} />
              ) : edges.length === 0 ? (
                <tr>
                  <td colSpan={9} className="dim">
                    {t(end === 'from' ? 'map.no_callers' : 'map.no_callees')}
                  </td>
                </tr>
              ) : (
                edges.map((edge) => (
                  <Row key={edge[end]} {...{ project, environment, seconds, edge }} node={nodes.get(edge[end])} />
                ))
              )}
            </tbody>
          ))}
        </table>
      </div>
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

interface RowProps {
  project: number;
  environment: string | undefined;
  seconds: number;
  edge: MapEdge;
  /** The other end of the calls. */
  node?: MapNode;
}

function Row({ project, environment, seconds, edge, node }: RowProps) {
  const { t } = useTranslation();
  if (!node) return null;
  return (
    <tr className={node.kind === 'service' ? 'link' : undefined}>
      <td>
        <Name project={project} environment={environment} node={node} />
      </td>
      <td className="num" title={t('red.count', { count: count(edge.count) })}>
        {rate(edge.count / seconds)}
      </td>
      <td className="num">
        {edge.errors > 0 ? (
          <span className={classes.failed} data-health={healthOf(edge)}>
            {`✕ ${percent(shareOf(edge))} (${count(edge.errors)})`}
          </span>
        ) : (
          '0 %'
        )}
      </td>
      <td className="num" title={edge.unanswered > 0 ? t('map.unanswered_hint') : undefined}>
        {edge.unanswered > 0 && count(edge.unanswered)}
      </td>
      <td className="num">{duration(edge.p50_ns)}</td>
      <td className="num">
        <strong>{duration(edge.p95_ns)}</strong>
      </td>
      <td className="num">{duration(edge.p99_ns)}</td>
      <td className="num">{duration(edge.max_ns)}</td>
      <td className="num">
        <Link
          className={classes.above}
          to="/projects/$project/map"
          params={{ project: String(project) }}
          search={(old) => ({
            range: old.range,
            from: old.from,
            to: old.to,
            environment,
            view: 'list' as const,
            edge: edgeId(edge),
          })}
        >
          {t('service.calls')}
        </Link>
      </td>
    </tr>
  );
}

function Name({ project, environment, node }: Pick<RowProps, 'project' | 'environment'> & { node: MapNode }) {
  const { t } = useTranslation();
  const Icon = ICONS[kindOf(node)];
  return (
    <span className="row">
      <Icon size={15} stroke={1.6} role="img" aria-label={t(`map.kind.${kindOf(node)}`)} />
      {node.kind === 'service' ? (
        <Link
          className="row-link"
          to="/projects/$project/services/$service"
          params={{ project: String(project), service: node.name }}
          search={(old) => ({
            range: old.range,
            from: old.from,
            to: old.to,
            environment,
            tab: 'dependencies' as const,
          })}
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
