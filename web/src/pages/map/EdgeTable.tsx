import { useTranslation } from 'react-i18next';
import type { MapNode, ServiceMap } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { rowKeys } from '../../parts/rowKeys.ts';
import { healthOf, ICONS, kindOf, nameOf, perMinute, shareOf } from './look.ts';
import classes from './Map.module.css';

interface Props {
  map: ServiceMap;
  minutes: number;
  selected: string | undefined;
  onSelect: (id: string) => void;
}

/** The same map as a table: every line of it in words and numbers. */
export function EdgeTable({ map, minutes, selected, onSelect }: Props) {
  const { t } = useTranslation();
  const nodes = new Map(map.nodes?.map((n) => [n.id, n]));
  return (
    <div className={classes.scroll}>
      <table className="table" aria-label={t('map.list')}>
        <thead>
          <tr>
            <th>{t('map.column.from')}</th>
            <th>{t('map.column.to')}</th>
            <th className="num">{t('map.column.rate')}</th>
            <th className="num">{t('map.column.errors')}</th>
            <th className="num">{t('map.column.p50')}</th>
            <th className="num">{t('map.column.p95')}</th>
            <th className="num">{t('map.column.p99')}</th>
          </tr>
        </thead>
        <tbody onKeyDown={rowKeys}>
          {map.edges?.map((edge) => (
            <tr key={`${edge.from} > ${edge.to}`}>
              <td>
                <Name node={nodes.get(edge.from)} {...{ selected, onSelect }} />
              </td>
              <td>
                <Name node={nodes.get(edge.to)} {...{ selected, onSelect }} />
              </td>
              <td className="num">{t('map.rate', { n: perMinute(edge.count, minutes) })}</td>
              <td className="num">
                {edge.errors > 0 && (
                  <em className={classes.failed} data-health={healthOf(edge)}>
                    {`✕ ${count(edge.errors)} (${percent(shareOf(edge))})`}
                  </em>
                )}
              </td>
              <td className="num">{duration(edge.p50_ns)}</td>
              <td className="num">{duration(edge.p95_ns)}</td>
              <td className="num">{duration(edge.p99_ns)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Name({ node, selected, onSelect }: { node?: MapNode } & Pick<Props, 'selected' | 'onSelect'>) {
  const { t } = useTranslation();
  if (!node) return null;
  const Icon = ICONS[kindOf(node)];
  return (
    <button
      type="button"
      className={classes.name}
      aria-pressed={node.id === selected}
      onClick={() => onSelect(node.id)}
    >
      <Icon size={15} stroke={1.6} aria-hidden />
      <span className="offscreen">{t(`map.kind.${kindOf(node)}`)}</span>
      {nameOf(node, t)}
    </button>
  );
}
