import { Button, CloseButton } from '@mantine/core';
import { IconFocus2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { MapEdge, MapNode, ServiceMap } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Facts } from './Facts.tsx';
import { type Compared, detailOf, healthOf, ICONS, kindOf, nameOf, perMinute, shareOf } from './look.ts';
import classes from './Map.module.css';
import { edgeId } from './moments.ts';
import { ServiceWays, type Window } from './Ways.tsx';

interface Props {
  map: ServiceMap;
  node: MapNode;
  minutes: number;
  focused: boolean;
  /** The same node over the whole range, while a moment of it is shown. */
  whole: Compared | undefined;
  /** The moment shown, for what is looked at next. */
  window: Window;
  onSelect: (id: string | undefined) => void;
  onSelectEdge: (id: string) => void;
  onFocus: (id: string) => void;
}

/** About one node: how it does, who calls it, what it calls, and the way on from there. */
export function NodePanel({ map, node, minutes, focused, whole, window, onSelect, onSelectEdge, onFocus }: Props) {
  const { t } = useTranslation();
  const project = String(useProjectId());
  const kind = kindOf(node);
  const Icon = ICONS[kind];
  const name = nameOf(node, t);
  const edges = map.edges;
  return (
    <aside className={classes.side} aria-label={t('map.details', { name })}>
      <header>
        <Icon size={22} stroke={1.5} aria-hidden />
        <div>
          <h2>{name}</h2>
          <p className="dim">{[t(`map.kind.${kind}`), detailOf(node)].filter(Boolean).join(' · ')}</p>
        </div>
        <CloseButton aria-label={t('map.close')} onClick={() => onSelect(undefined)} />
      </header>
      <Facts of={node} minutes={minutes} whole={whole} />
      <p className="dim">{t(`map.measured.${kind === 'user' || kind === 'service' ? kind : 'other'}`)}</p>
      <div className={classes.ways}>
        {!focused && (
          <Button variant="default" leftSection={<IconFocus2 size={15} />} onClick={() => onFocus(node.id)}>
            {t('map.focus')}
          </Button>
        )}
        {kind === 'service' && <ServiceWays service={node.name} errors={node.errors} window={window} />}
        {kind === 'database' && (
          <Link to="/projects/$project/sql" params={{ project }} search={{ system: node.system, ...window }}>
            {t('map.statements')}
          </Link>
        )}
      </div>
      {kind !== 'user' && (
        <Calls
          title={t('map.callers')}
          none={t('map.no_callers')}
          edges={edges.filter((e) => e.to === node.id)}
          end="from"
          {...{ map, minutes, onSelect, onSelectEdge }}
        />
      )}
      {(kind === 'user' || kind === 'service' || kind === 'queue') && (
        <Calls
          title={t('map.callees')}
          none={t('map.no_callees')}
          edges={edges.filter((e) => e.from === node.id)}
          end="to"
          {...{ map, minutes, onSelect, onSelectEdge }}
        />
      )}
    </aside>
  );
}

interface CallsProps {
  title: string;
  none: string;
  edges: MapEdge[];
  /** Which end of the calls is listed. */
  end: 'from' | 'to';
  map: ServiceMap;
  minutes: number;
  onSelect: (id: string) => void;
  onSelectEdge: (id: string) => void;
}

function Calls({ title, none, edges, end, map, minutes, onSelect, onSelectEdge }: CallsProps) {
  const { t } = useTranslation();
  return (
    <section>
      <h3>{title}</h3>
      {edges.length === 0 && <p className="dim">{none}</p>}
      <ul className={classes.calls}>
        {edges.map((edge) => {
          const other = map.nodes.find((n) => n.id === edge[end]);
          if (!other) return null;
          const Icon = ICONS[kindOf(other)];
          return (
            <li key={other.id}>
              <button type="button" title={nameOf(other, t)} onClick={() => onSelect(other.id)}>
                <Icon size={15} stroke={1.6} aria-hidden />
                <span className="clip">{nameOf(other, t)}</span>
              </button>
              <button
                type="button"
                className={classes.numbers}
                title={t('map.edge_open')}
                onClick={() => onSelectEdge(edgeId(edge))}
              >
                {t('map.rate', { n: perMinute(edge.count, minutes) })}
                {edge.p95_ns > 0 && ` · p95 ${duration(edge.p95_ns)}`}
              </button>
              {edge.errors > 0 && <em data-health={healthOf(edge)}>{`✕ ${percent(shareOf(edge))}`}</em>}
              {edge.unanswered > 0 && (
                <em className={classes.unanswered} title={t('map.unanswered_hint')}>
                  {t('map.unanswered', { n: count(edge.unanswered) })}
                </em>
              )}
            </li>
          );
        })}
      </ul>
    </section>
  );
}
