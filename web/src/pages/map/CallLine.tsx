import { BaseEdge, type Edge, EdgeLabelRenderer, type EdgeProps, getBezierPath } from '@xyflow/react';
import { useTranslation } from 'react-i18next';
import type { MapEdge } from '../../api/types.ts';
import { percent } from '../../format/number.ts';
import { healthOf, perMinute, shareOf } from './look.ts';
import classes from './Map.module.css';
import { HEIGHT, WIDTH } from './NodeCard.tsx';

export type CallEdge = Edge<
  { edge: MapEdge; minutes: number; width: number; labelled: boolean; faded: boolean },
  'call'
>;

/** The calls from one node to another: thick by traffic, red and marked by the share that fails. */
export function CallLine({
  source,
  target,
  sourceX,
  sourceY,
  targetX,
  targetY,
  sourcePosition,
  targetPosition,
  markerEnd,
  data,
}: EdgeProps<CallEdge>) {
  const { t } = useTranslation();
  if (!data) return null;
  const { edge, minutes, width, labelled, faded } = data;
  const health = healthOf(edge);
  const [path, x, y] =
    source === target
      ? loop(sourceX, sourceY)
      : getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  const words = [
    labelled && t('map.rate', { n: perMinute(edge.count, minutes) }),
    health !== 'good' && `✕ ${percent(shareOf(edge))}`,
  ].filter(Boolean);
  return (
    <>
      <BaseEdge
        path={path}
        markerEnd={markerEnd}
        className={classes.line}
        data-health={health}
        data-faded={faded || undefined}
        style={{ strokeWidth: width }}
      />
      {words.length > 0 && !faded && (
        <EdgeLabelRenderer>
          <div
            className={classes.lineLabel}
            data-health={health}
            style={{ transform: `translate(-50%, -50%) translate(${x}px, ${y}px)` }}
          >
            {words.join('  ')}
          </div>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

/** A call to oneself goes around above the node. */
function loop(x: number, y: number): [path: string, labelX: number, labelY: number] {
  const top = y - HEIGHT;
  const left = x - WIDTH;
  return [`M ${x} ${y} C ${x + 50} ${top}, ${left - 50} ${top}, ${left} ${y}`, x - WIDTH / 2, y - HEIGHT * 0.75];
}
