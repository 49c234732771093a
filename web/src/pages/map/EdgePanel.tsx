import { CloseButton } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { MapEdge, MapNode } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { quoted } from '../../parts/query/language.ts';
import { Facts } from './Facts.tsx';
import { type Compared, ICONS, kindOf, nameOf } from './look.ts';
import classes from './Map.module.css';
import { ServiceWays, type Window } from './Ways.tsx';

interface Props {
  edge: MapEdge;
  from: MapNode;
  to: MapNode;
  minutes: number;
  /** The same calls over the whole range, while a moment of it is shown. */
  whole: Compared | undefined;
  window: Window;
  /** Selects a node, or nothing. */
  onSelect: (id: string | undefined) => void;
}

/** About the calls from one node to another, and the way on from there. */
export function EdgePanel({ edge, from, to, minutes, whole, window, onSelect }: Props) {
  const { t } = useTranslation();
  const names = { from: nameOf(from, t), to: nameOf(to, t) };
  return (
    <aside className={classes.side} aria-label={t('map.edge_details', names)}>
      <header>
        <IconArrowRight size={22} stroke={1.5} aria-hidden />
        <div>
          <h2>{`${names.from} → ${names.to}`}</h2>
          <p className="dim">
            {t(from.kind === 'user' || from.kind === 'queue' ? 'map.edge_by_callee' : 'map.edge_by_caller')}
          </p>
        </div>
        <CloseButton aria-label={t('map.close')} onClick={() => onSelect(undefined)} />
      </header>
      <Facts of={edge} minutes={minutes} whole={whole} />
      {edge.unanswered > 0 && (
        <p className={classes.unanswered} title={t('map.unanswered_hint')}>
          {t('map.unanswered', { n: count(edge.unanswered) })}
        </p>
      )}
      <End title={t('map.column.from')} node={from} errors={edge.errors} {...{ window, onSelect }}>
        {from.kind === 'service' && <Caller service={from.name} to={to} window={window} />}
      </End>
      <End title={t('map.column.to')} node={to} errors={edge.errors} {...{ window, onSelect }} />
    </aside>
  );
}

interface EndProps {
  title: string;
  node: MapNode;
  errors: number;
  window: Window;
  onSelect: (id: string) => void;
  children?: React.ReactNode;
}

function End({ title, node, errors, window, onSelect, children }: EndProps) {
  const { t } = useTranslation();
  const Icon = ICONS[kindOf(node)];
  return (
    <section>
      <h3>{title}</h3>
      <button type="button" className={classes.name} onClick={() => onSelect(node.id)}>
        <Icon size={15} stroke={1.6} aria-hidden />
        <span className="clip">{nameOf(node, t)}</span>
      </button>
      <div className={classes.ways}>
        {node.kind === 'service' && <ServiceWays service={node.name} errors={errors} window={window} />}
        {children}
      </div>
    </section>
  );
}

/** What of the caller's transactions made these calls, where the search can tell. */
function Caller({ service, to, window }: { service: string; to: MapNode; window: Window }) {
  const { t } = useTranslation();
  const params = { project: String(useProjectId()) };
  if (to.kind === 'database') {
    return (
      <Link to="/projects/$project/sql" params={params} search={{ service, system: to.system, ...window }}>
        {t('map.statements')}
      </Link>
    );
  }
  const field = { queue: 'messaging.destination.name', external: 'server.address' }[to.kind];
  if (!field || to.name === '' || to.name === '…') return null;
  const value = to.kind === 'external' ? to.name.replace(/:\d+$/, '') : to.name;
  return (
    <Link
      to="/projects/$project/transactions"
      params={params}
      search={{ service, q: `span.${field}=${quoted(value)}`, ...window }}
    >
      {t('map.with_these_calls')}
    </Link>
  );
}
