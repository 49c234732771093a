import { Button } from '@mantine/core';
import { IconDownload, IconSearch } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { EdgeSort } from '../../api/map.ts';
import type { MapEdge, MapNode, ServiceMap } from '../../api/types.ts';
import { csv } from '../../format/csv.ts';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { holds } from '../../parts/Filter.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SortHead } from '../../parts/SortHead.tsx';
import { save } from '../../parts/save.ts';
import { Versus } from './Facts.tsx';
import { type Compared, healthOf, ICONS, kindOf, nameOf, perMinute, shareOf } from './look.ts';
import classes from './Map.module.css';
import { edgeId } from './moments.ts';

/** Rows drawn at most; the file holds all of them. */
const MOST_ROWS = 500;

interface Props {
  map: ServiceMap;
  minutes: number;
  /** The same edge over the whole range, while a moment of it is shown. */
  whole: (edge: MapEdge) => Compared | undefined;
  sort: EdgeSort;
  typed: string;
  selected: string | undefined;
  onSort: (by: EdgeSort) => void;
  onSelect: (id: string) => void;
}

/** The same map as a table: every line of it in words and numbers. */
export function EdgeTable({ map, minutes, whole, sort, typed, selected, onSort, onSelect }: Props) {
  const { t } = useTranslation();
  const nodes = new Map(map.nodes.map((n) => [n.id, n]));
  const name = (id: string) => {
    const node = nodes.get(id);
    return node ? nameOf(node, t) : id;
  };
  const items = map.edges
    .filter((e) => holds(typed, name(e.from), name(e.to)))
    .sort((a, b) => order(sort, a, b, name) || b.count - a.count);
  const head = { current: sort, onSort: (by: string) => onSort(by as EdgeSort) };
  const download = () =>
    save(csv([[...FILE], ...items.map((e) => line(e, name, minutes))]), 'text/csv', 'service-map', 'csv');
  if (items.length === 0) {
    return (
      <Empty icon={IconSearch} title={t('map.no_match')}>
        <p>{t('map.no_match_hint')}</p>
      </Empty>
    );
  }
  return (
    <div className={classes.scroll}>
      <table className="table" aria-label={t('map.list')}>
        <thead>
          <tr>
            {(['from', 'to'] as const).map((by) => (
              <SortHead key={by} by={by} ascending {...head}>
                {t(`map.column.${by}`)}
              </SortHead>
            ))}
            {(['rate', 'errors', 'p50', 'p95', 'p99'] as const).map((by) => (
              <SortHead key={by} by={by} num {...head}>
                {t(`map.column.${by}`)}
              </SortHead>
            ))}
          </tr>
        </thead>
        <tbody onKeyDown={rowKeys}>
          {items.slice(0, MOST_ROWS).map((edge) => (
            <Row
              key={edgeId(edge)}
              {...{ edge, minutes, onSelect }}
              whole={whole(edge)}
              from={nodes.get(edge.from)}
              to={nodes.get(edge.to)}
              on={edgeId(edge) === selected}
            />
          ))}
        </tbody>
      </table>
      <div className="foot">
        <span>{t('list.shown', { shown: count(Math.min(items.length, MOST_ROWS)), total: count(items.length) })}</span>
        <Button variant="default" size="compact-xs" leftSection={<IconDownload size={14} />} onClick={download}>
          {'CSV'}
        </Button>
      </div>
    </div>
  );
}

interface RowProps {
  edge: MapEdge;
  from?: MapNode;
  to?: MapNode;
  minutes: number;
  whole: Compared | undefined;
  on: boolean;
  onSelect: (id: string) => void;
}

function Row({ edge, from, to, minutes, whole, on, onSelect }: RowProps) {
  const { t } = useTranslation();
  const versus = (
    number: (red: MapEdge | Compared['red'], minutes: number) => number,
    write: (n: number) => string,
    neutral?: boolean,
  ) =>
    whole && edge.count > 0 ? (
      <div>
        <Versus now={number(edge, minutes)} usual={number(whole.red, whole.minutes)} {...{ write, neutral }} />
      </div>
    ) : null;
  if (!from || !to) return null;
  return (
    <tr className="link" aria-selected={on}>
      <td>
        <button type="button" className={`row-link ${classes.name}`} onClick={() => onSelect(edgeId(edge))}>
          <Name node={from} />
        </button>
      </td>
      <td>
        <span className={classes.name}>
          <Name node={to} />
        </span>
      </td>
      <td className="num">
        {t('map.rate', { n: perMinute(edge.count, minutes) })}
        {versus(
          (red, m) => red.count / m,
          (n) => t('map.rate', { n: perMinute(n, 1) }),
          true,
        )}
      </td>
      <td className="num">
        {edge.errors > 0 && (
          <em className={classes.failed} data-health={healthOf(edge)}>
            {`✕ ${count(edge.errors)} (${percent(shareOf(edge))})`}
          </em>
        )}
        {edge.errors > 0 && versus(shareOf, percent)}
      </td>
      {(['p50_ns', 'p95_ns', 'p99_ns'] as const).map((key) => (
        <td key={key} className="num">
          {edge.count > 0 ? duration(edge[key]) : '–'}
          {key === 'p95_ns' &&
            versus(
              (red) => red.p95_ns,
              (ns) => duration(ns),
            )}
        </td>
      ))}
    </tr>
  );
}

function Name({ node }: { node: MapNode }) {
  const { t } = useTranslation();
  const Icon = ICONS[kindOf(node)];
  return (
    <>
      <Icon size={15} stroke={1.6} aria-hidden />
      <span className="offscreen">{t(`map.kind.${kindOf(node)}`)}</span>
      <span className="clip" title={nameOf(node, t)}>
        {nameOf(node, t)}
      </span>
    </>
  );
}

function order(sort: EdgeSort, a: MapEdge, b: MapEdge, name: (id: string) => string): number {
  switch (sort) {
    case 'from':
    case 'to':
      return name(a[sort]).localeCompare(name(b[sort]));
    case 'errors':
      return shareOf(b) - shareOf(a) || b.errors - a.errors;
    case 'rate':
      return b.count - a.count;
    default:
      return b[`${sort}_ns`] - a[`${sort}_ns`];
  }
}

const FILE = [
  'from',
  'from_kind',
  'to',
  'to_kind',
  'calls',
  'calls_per_minute',
  'errors',
  'unanswered',
  'p50_ms',
  'p95_ms',
  'p99_ms',
  'max_ms',
];

const line = (e: MapEdge, name: (id: string) => string, minutes: number) => [
  name(e.from),
  kindOfId(e.from),
  name(e.to),
  kindOfId(e.to),
  e.count,
  Number((e.count / minutes).toFixed(3)),
  e.errors,
  e.unanswered,
  ...[e.p50_ns, e.p95_ns, e.p99_ns, e.max_ns].map((ns) => ns / 1e6),
];

const kindOfId = (id: string) => id.slice(0, id.indexOf(':'));
