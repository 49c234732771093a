import { Button, CloseButton } from '@mantine/core';
import { IconFocus2 } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { MapEdge, MapNode, ServiceMap } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { detailOf, healthOf, ICONS, kindOf, nameOf, perMinute, shareOf } from './look.ts';
import classes from './Map.module.css';

interface Props {
  map: ServiceMap;
  node: MapNode;
  minutes: number;
  focused: boolean;
  onSelect: (id: string | undefined) => void;
  onFocus: (id: string) => void;
}

/** About one node: how it does, who calls it, what it calls, and the way on from there. */
export function NodePanel({ map, node, minutes, focused, onSelect, onFocus }: Props) {
  const { t, i18n } = useTranslation();
  const project = String(useProjectId());
  const kind = kindOf(node);
  const Icon = ICONS[kind];
  const name = nameOf(node, t);
  const edges = map.edges ?? [];
  const facts: [string, string][] = [
    [t('map.calls'), `${count(node.count)} (${t('map.rate', { n: perMinute(node.count, minutes) })})`],
    [t('map.errors'), node.errors ? `${count(node.errors)} (${percent(shareOf(node))})` : '0'],
    ...(node.p50_ns > 0
      ? (
          [
            [t('map.column.p50'), node.p50_ns],
            [t('map.column.p95'), node.p95_ns],
            [t('map.column.p99'), node.p99_ns],
            [t('map.max'), node.max_ns],
          ] satisfies [string, number][]
        ).map(([label, ns]): [string, string] => [label, duration(ns, i18n.language)])
      : []),
  ];
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
      <dl className={classes.facts} data-health={healthOf(node)}>
        {facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p className="dim">{t(`map.measured.${kind === 'user' || kind === 'service' ? kind : 'other'}`)}</p>
      <div className={classes.ways}>
        {!focused && (
          <Button variant="default" leftSection={<IconFocus2 size={15} />} onClick={() => onFocus(node.id)}>
            {t('map.focus')}
          </Button>
        )}
        {kind === 'service' && (
          <>
            <Link to="/projects/$project/transactions" params={{ project }} search={{ service: node.name }}>
              {t('map.transactions')}
            </Link>
            {node.errors > 0 && (
              <Link
                to="/projects/$project/transactions"
                params={{ project }}
                search={{ service: node.name, errors: true }}
              >
                {t('map.failed_transactions')}
              </Link>
            )}
          </>
        )}
      </div>
      {kind !== 'user' && (
        <Calls
          title={t('map.callers')}
          none={t('map.no_callers')}
          edges={edges.filter((e) => e.to === node.id)}
          end="from"
          {...{ map, minutes, onSelect }}
        />
      )}
      {(kind === 'user' || kind === 'service' || kind === 'queue') && (
        <Calls
          title={t('map.callees')}
          none={t('map.no_callees')}
          edges={edges.filter((e) => e.from === node.id)}
          end="to"
          {...{ map, minutes, onSelect }}
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
}

function Calls({ title, none, edges, end, map, minutes, onSelect }: CallsProps) {
  const { t } = useTranslation();
  return (
    <section>
      <h3>{title}</h3>
      {edges.length === 0 && <p className="dim">{none}</p>}
      <ul className={classes.calls}>
        {edges.map((edge) => {
          const other = map.nodes?.find((n) => n.id === edge[end]);
          if (!other) return null;
          const Icon = ICONS[kindOf(other)];
          return (
            <li key={other.id}>
              <button type="button" onClick={() => onSelect(other.id)}>
                <Icon size={15} stroke={1.6} aria-hidden />
                <span className="clip">{nameOf(other, t)}</span>
              </button>
              <span className="dim">
                {t('map.rate', { n: perMinute(edge.count, minutes) })}
                {edge.p95_ns > 0 && ` · p95 ${duration(edge.p95_ns)}`}
              </span>
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
