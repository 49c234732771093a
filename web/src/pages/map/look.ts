import { IconBolt, IconBox, IconDatabase, IconStack2, IconUsers, IconWorld } from '@tabler/icons-react';
import type { TFunction } from 'i18next';
import type { MapEdge, MapNode, ServiceMap } from '../../api/types.ts';

export const ICONS = {
  user: IconUsers,
  service: IconBox,
  database: IconDatabase,
  cache: IconBolt,
  queue: IconStack2,
  external: IconWorld,
} as const;

export type NodeKind = keyof typeof ICONS;
export const kindOf = (node: MapNode): NodeKind => (node.kind in ICONS ? (node.kind as NodeKind) : 'external');

/** What the node is called on screen. The server names many small hosts together "…". */
export function nameOf(node: MapNode, t: TFunction): string {
  if (node.kind === 'user') return t('map.user');
  if (node.kind === 'external' && node.name === '…') return t('map.others');
  return node.name || t('map.unknown');
}

/** What tells it apart from others of its name. */
export const detailOf = (node: MapNode): string =>
  [node.system, node.address === node.name ? '' : node.address].filter(Boolean).join(' · ');

/** What is counted and measured of calls. */
export type Red = Pick<MapEdge, 'count' | 'errors' | 'p50_ns' | 'p95_ns' | 'p99_ns' | 'max_ns'>;

/** The same calls over the whole range, of that many minutes. */
export interface Compared {
  red: Red;
  minutes: number;
}

export type Health = 'good' | 'some' | 'bad';

const SOME = 0.001;
const BAD = 0.05;

export const shareOf = (red: { count: number; errors: number }) => (red.count ? red.errors / red.count : 0);

/** How bad a share of failed calls is. */
export function healthOf(red: { count: number; errors: number }): Health {
  const share = shareOf(red);
  return share >= BAD ? 'bad' : share >= SOME ? 'some' : 'good';
}

/** Minutes that a map covers, up to the time it was answered at: 0, as of one that stands in for another, tells none. */
export function minutesOf(map: Pick<ServiceMap, 'from' | 'to'>, answered: number): number {
  const to = Date.parse(map.to);
  return Math.max(1, (Math.min(to, answered || to) - Date.parse(map.from)) / 60_000);
}

/** Calls per minute with the digits that matter. */
export function perMinute(n: number, minutes: number): string {
  const rate = n / minutes;
  if (rate >= 10_000) return `${Number((rate / 1000).toFixed(rate >= 100_000 ? 0 : 1))} k`;
  if (rate >= 10) return Math.round(rate).toLocaleString('en-US');
  if (rate >= 0.1) return String(Number(rate.toFixed(1)));
  return rate > 0 ? '<0.1' : '0';
}

/** Width of an edge in pixels: by powers of ten of its traffic, so that a quiet edge is still seen beside a busy one. */
export const widthOf = (edge: MapEdge, busiest: number) =>
  1 + 4.5 * (Math.log10(1 + edge.count) / Math.log10(1 + Math.max(1, busiest)));
