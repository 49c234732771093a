import { Handle, type Node, type NodeProps, Position } from '@xyflow/react';
import { useTranslation } from 'react-i18next';
import type { MapNode } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { percent } from '../../format/number.ts';
import { Versus } from './Facts.tsx';
import { type Compared, detailOf, healthOf, ICONS, kindOf, nameOf, perMinute, shareOf } from './look.ts';
import classes from './Map.module.css';

export const WIDTH = 196;
export const HEIGHT = 58;

export type CardNode = Node<
  {
    node: MapNode;
    minutes: number;
    /** The same node over the whole range, while a moment of it is shown. */
    whole: Compared | undefined;
    selected: boolean;
    faded: boolean;
    onSelect: (id: string) => void;
  },
  'card'
>;

/** From how many doublings on, or halvings, a card says that p95 is not as usual. */
const NOTED = Math.log2(1.5);
const slower = (node: MapNode, whole: Compared) =>
  node.p95_ns > 0 && whole.red.p95_ns > 0 ? node.p95_ns / whole.red.p95_ns : 1;

/** One node: what it is, how much comes in, how long it takes, and how much of it fails. */
export function NodeCard({ data: { node, minutes, whole, selected, faded, onSelect } }: NodeProps<CardNode>) {
  const { t } = useTranslation();
  const kind = kindOf(node);
  const Icon = ICONS[kind];
  const health = healthOf(node);
  const name = nameOf(node, t);
  const silent = whole !== undefined && node.count === 0;
  const numbers = silent
    ? t('map.travel.silent')
    : [t('map.rate', { n: perMinute(node.count, minutes) }), node.p95_ns > 0 && `p95 ${duration(node.p95_ns)}`]
        .filter(Boolean)
        .join(' · ');
  const failing = health !== 'good' && t('map.error_share', { share: percent(shareOf(node)) });
  return (
    <>
      <Handle type="target" position={Position.Left} isConnectable={false} className={classes.handle} />
      <button
        type="button"
        className={`nopan ${classes.card}`}
        data-kind={kind}
        data-health={health}
        data-selected={selected || undefined}
        data-faded={faded || silent || undefined}
        aria-pressed={selected}
        aria-label={[t(`map.kind.${kind}`), name, numbers, failing].filter(Boolean).join(', ')}
        title={[name, detailOf(node)].filter(Boolean).join('\n')}
        onClick={() => onSelect(node.id)}
      >
        <Icon size={20} stroke={1.5} aria-hidden />
        <span className={classes.cardText}>
          <span className="clip">
            <strong>{name}</strong>
            {node.system && node.system !== name && <small>{node.system}</small>}
          </span>
          <span className="clip">{numbers}</span>
        </span>
        {whole && !silent && Math.abs(Math.log2(slower(node, whole))) >= NOTED && (
          <Versus now={node.p95_ns} usual={whole.red.p95_ns} write={(ns) => `p95 ${duration(ns)}`} />
        )}
        {health !== 'good' && <em data-health={health}>{`✕ ${percent(shareOf(node))}`}</em>}
      </button>
      <Handle type="source" position={Position.Right} isConnectable={false} className={classes.handle} />
    </>
  );
}
