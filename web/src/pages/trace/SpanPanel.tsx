import { CloseButton, Skeleton, Tabs } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, type Ref, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { spanQuery } from '../../api/traces.ts';
import type { Fact, Span } from '../../api/types.ts';
import { duration, exactMs } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { precise } from '../../format/time.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Block, Mono } from '../../parts/Mono.tsx';
import { Attributes, Pairs } from './Attributes.tsx';
import { KindIcon } from './KindIcon.tsx';
import { Logs } from './Logs.tsx';
import type { Look } from './look.ts';
import { kindOfTwin, type Model, operationOf } from './model.ts';
import { ServiceName } from './ServiceName.tsx';
import classes from './SpanPanel.module.css';
import { StatementLink } from './StatementLink.tsx';

interface Props {
  ref: Ref<HTMLElement>;
  model: Model;
  project: number;
  /** The selected span, and the one whose details are read: while one walks, they follow when one stands. */
  span: number;
  settled: number;
  look?: Look;
  facts: Fact[];
  onClose: () => void;
}

/** Everything known about one span. What the tree knows is there at once, the rest is read. */
export function SpanPanel({ ref, model, project, span: i, settled, look, facts, onClose }: Props) {
  const { t } = useTranslation();
  const [tab, setTab] = useState<string | null>('overview');
  const node = model.spans[i];
  const operation = operationOf(model, i);
  const { trace_id } = model.outline;
  const { data, error, refetch } = useQuery({
    ...spanQuery(project, trace_id, model.spans[settled]?.span_id ?? '', kindOfTwin(model, settled)),
    enabled: !model.spans[settled]?.missing,
  });
  const span = data?.span_id === node?.span_id ? data : undefined;
  if (!node) return null;
  const address = `${window.location.origin}/projects/${project}/traces/${trace_id}?span=${node.span_id}`;
  return (
    <aside
      ref={ref}
      className={`panel ${classes.detail}`}
      aria-label={t('trace.detail')}
      aria-busy={!span && !node.missing}
      data-testid="span-detail"
      tabIndex={-1}
    >
      <header>
        <KindIcon kind={operation.type} />
        <h2>{operation.name || t('trace.kind.missing')}</h2>
        <Copy text={address} what={t('copy.link')} />
        <CloseButton size="sm" aria-label={t('action.close')} onClick={onClose} />
      </header>
      {node.missing ? (
        <Lost model={model} i={i} />
      ) : (
        <Tabs value={tab} onChange={setTab} keepMounted={false}>
          <Tabs.List>
            <Tabs.Tab value="overview">{t('trace.overview')}</Tabs.Tab>
            <Tabs.Tab value="attributes">{t('trace.attributes')}</Tabs.Tab>
            <Tabs.Tab value="events">{counted(t('trace.events'), span?.events.length)}</Tabs.Tab>
            {(node.linked || (span?.links.length ?? 0) > 0) && (
              <Tabs.Tab value="links">{counted(t('trace.links'), span?.links.length)}</Tabs.Tab>
            )}
            <Tabs.Tab value="logs">{t('trace.logs')}</Tabs.Tab>
          </Tabs.List>
          <div className={classes.body}>
            <Tabs.Panel value="overview">
              <Overview model={model} i={i} span={span} look={look} facts={facts} project={project} />
            </Tabs.Panel>
            <Tabs.Panel value="logs">
              <Logs project={project} outline={model.outline} span={node.span_id} />
            </Tabs.Panel>
            {tab === 'logs' ? null : error && !span ? (
              <Failure error={error} retry={() => void refetch()} />
            ) : !span ? (
              <Waiting />
            ) : (
              <>
                <Tabs.Panel value="attributes">
                  <Attributes span={span} />
                </Tabs.Panel>
                <Tabs.Panel value="events">
                  <Events span={span} />
                </Tabs.Panel>
                <Tabs.Panel value="links">
                  <Links span={span} />
                </Tabs.Panel>
              </>
            )}
          </div>
        </Tabs>
      )}
    </aside>
  );
}

const counted = (label: string, n?: number) => (n ? `${label} ${count(n)}` : label);

const Waiting = () => (
  <>
    <Skeleton height={14} />
    <Skeleton height={14} width="70%" />
    <Skeleton height={14} width="80%" />
  </>
);

/** In place of a parent that is not stored. */
function Lost({ model, i }: { model: Model; i: number }) {
  const { t } = useTranslation();
  const node = model.spans[i];
  return (
    <div className={classes.body}>
      <p>{t('trace.missing_means', { below: count(node?.below ?? 0) })}</p>
      <dl className={classes.facts}>
        <Item label={t('trace.span_id')}>
          <Mono text={node?.span_id ?? ''} />
        </Item>
      </dl>
    </div>
  );
}

interface OverviewProps {
  model: Model;
  project: number;
  i: number;
  span?: Span;
  look?: Look;
  facts: Fact[];
}

function Overview({ model, project, i, span, look, facts }: OverviewProps) {
  const { t } = useTranslation();
  const { outline } = model;
  const node = model.spans[i];
  const operation = operationOf(model, i);
  if (!node) return null;
  const waited = model.critical.get(i)?.reduce((sum, part) => sum + part.to_ns - part.from_ns, 0) ?? 0;
  const failure = outline.failures.find((f) => f.span === i);
  const whole = Math.max(1, outline.duration_ns);
  return (
    <>
      <Cited facts={facts} />
      {node.failed && (
        <p className={classes.error}>
          <IconX size={15} stroke={2.5} aria-hidden />
          {[failure?.type, failure?.message].filter(Boolean).join(': ') || t('trace.error')}
        </p>
      )}
      <dl className={classes.facts}>
        <Item label={t('trace.service')}>
          <ServiceName name={operation.service} look={look} />
        </Item>
        <Item label={t('trace.name')}>{operation.span_name}</Item>
        <Item label={t('trace.duration')}>
          <strong>{duration(node.duration_ns)}</strong>
          <span className="dim">{` ${exactMs(node.duration_ns)} · ${percent(node.duration_ns / whole)}`}</span>
        </Item>
        <Item label={t('trace.self')}>
          {duration(node.self_ns)}
          <span className="dim">{` ${percent(node.self_ns / Math.max(1, node.duration_ns))}`}</span>
        </Item>
        <Item label={t('trace.critical_path')}>
          {waited > 0 && (
            <>
              {duration(waited)}
              <span className="dim">{` ${percent(waited / whole)}`}</span>
            </>
          )}
        </Item>
        <Item label={t('trace.start')}>
          {span && precise(span.start)}
          <span className="dim">{` +${duration(node.start_ns)}`}</span>
        </Item>
        <Item label={t('trace.shifted')}>
          {node.shift_ns ? `${node.shift_ns > 0 ? '+' : ''}${duration(node.shift_ns)}` : undefined}
        </Item>
        <Item label={t('trace.instance')}>{span?.instance && <Mono text={span.instance} />}</Item>
        <Item label={t('trace.environment')}>{span?.environment}</Item>
        <Item label={t('trace.version')}>{span?.version}</Item>
        <Item label={t('trace.peer')}>{operation.peer && <Mono text={operation.peer} />}</Item>
        <Item label={t('trace.http')}>
          {span?.http && [span.http.method, span.http.route || span.http.url, span.http.status || ''].join(' ')}
        </Item>
        <Item label={t('trace.rpc')}>{span?.rpc}</Item>
        <Item label={t('trace.messaging')}>{span?.messaging}</Item>
        <Item label={t('trace.database')}>{[operation.system, operation.database].filter(Boolean).join(' · ')}</Item>
        <Item label={t('trace.span_id')}>
          <Mono text={node.span_id} />
        </Item>
      </dl>
      {span?.db?.statement && (
        <Section title={t('trace.sql')}>
          <Block text={span.db.statement} what={t('trace.sql')} />
        </Section>
      )}
      {span?.db?.normalized && span.db.normalized !== span.db.statement && (
        <Section title={t('trace.normalized')}>
          <Block text={span.db.normalized} what={t('trace.normalized')} />
        </Section>
      )}
      <StatementLink project={project} hash={operation.hash ?? ''}>
        {t('trace.statement_page')}
      </StatementLink>
      {span?.exception?.stacktrace && (
        <Section title={t('trace.stack')}>
          <Block text={span.exception.stacktrace} what={t('trace.stack')} wrap={false} />
        </Section>
      )}
    </>
  );
}

/** Which facts of the report stand on this span. */
function Cited({ facts }: { facts: Fact[] }) {
  const { t } = useTranslation();
  const { project } = useParams({ strict: false });
  const { incident } = useSearch({ strict: false });
  if (facts.length === 0 || !project || !incident) return null;
  return (
    <p className={classes.cited}>
      {t('trace.cited')}
      {facts.map((fact) => (
        <Link
          key={fact.id}
          to="/projects/$project/incidents/$incident"
          params={{ project, incident: String(incident) }}
          search={{ fact: fact.id }}
        >
          {fact.id}
        </Link>
      ))}
    </p>
  );
}

function Item({ label, children }: { label: string; children: ReactNode }) {
  if (!children) return null;
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Events({ span }: { span: Span }) {
  const { t } = useTranslation();
  if (span.events.length === 0) return <p className="dim">{t('trace.no_events')}</p>;
  return (
    <>
      {span.events.map((event, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: events have no id and never change
        <details key={i} className={classes.event}>
          <summary>
            <span className="dim">{`+${duration(event.offset_ns - span.start_offset_ns)}`}</span> {event.name}
          </summary>
          <Pairs pairs={event.attributes} />
        </details>
      ))}
    </>
  );
}

function Links({ span }: { span: Span }) {
  const { t } = useTranslation();
  const { project = '' } = useParams({ strict: false });
  return (
    <ul className={classes.links}>
      {span.links.map((link, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same span may be linked twice, and links never change
        <li key={i}>
          <Link
            to="/projects/$project/traces/$traceId"
            params={{ project, traceId: link.trace_id }}
            search={{ span: link.span_id }}
          >
            {t('trace.link_to', { trace: link.trace_id.slice(0, 8), span: link.span_id })}
          </Link>
          <Pairs pairs={link.attributes} />
        </li>
      ))}
    </ul>
  );
}
