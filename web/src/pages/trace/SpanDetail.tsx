import { CloseButton } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Fact, Span, Trace } from '../../api/types.ts';
import { duration, exactMs } from '../../format/duration.ts';
import { percent } from '../../format/number.ts';
import { precise } from '../../format/time.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Block, Mono } from '../../parts/Mono.tsx';
import { KindIcon } from './KindIcon.tsx';
import { isError, kindOf, type Look, titleOf } from './look.ts';
import { ServiceName } from './ServiceName.tsx';
import classes from './SpanDetail.module.css';

// A value longer than this many characters gets a box that scrolls.
const LONG = 400;

interface Props {
  span: Span;
  trace: Trace;
  look?: Look;
  facts: Fact[];
  onClose: () => void;
}

/** Everything known about one span. */
export function SpanDetail({ span, trace, look, facts, onClose }: Props) {
  const { t } = useTranslation();
  const { project } = useParams({ strict: false });
  const link = `${window.location.origin}/projects/${project}/traces/${trace.trace_id}?span=${span.span_id}`;
  return (
    <aside className={`panel ${classes.detail}`} aria-label={t('trace.detail')} data-testid="span-detail">
      <header>
        <KindIcon kind={kindOf(span)} />
        <h2>{titleOf(span)}</h2>
        <Copy text={link} what={t('copy.link')} />
        <CloseButton size="sm" aria-label={t('action.close')} onClick={onClose} />
      </header>
      <div className={classes.body}>
        <Cited facts={facts} />
        {isError(span) && (
          <p className={classes.error}>
            <IconX size={15} stroke={2.5} aria-hidden />
            {[span.exception?.type, span.exception?.message || span.status_message].filter(Boolean).join(': ') ||
              t('trace.error')}
          </p>
        )}
        <dl className={classes.facts}>
          <Item label={t('trace.service')}>
            <ServiceName name={span.service} look={look} />
          </Item>
          <Item label={t('trace.duration')}>
            <strong>{duration(span.duration_ns)}</strong>
            <span className="dim">{` ${exactMs(span.duration_ns)} · ${percent(span.duration_ns / Math.max(1, trace.duration_ns))}`}</span>
          </Item>
          <Item label={t('trace.start')}>
            {precise(span.start)}
            <span className="dim">{` +${duration(span.start_offset_ns)}`}</span>
          </Item>
          <Item label={t('trace.instance')}>{span.instance && <Mono text={span.instance} />}</Item>
          <Item label={t('trace.environment')}>{span.environment}</Item>
          <Item label={t('trace.peer')}>{span.peer && <Mono text={span.peer} />}</Item>
          <Item label={t('trace.http')}>
            {span.http && [span.http.method, span.http.route || span.http.url, span.http.status || ''].join(' ')}
          </Item>
          <Item label={t('trace.rpc')}>{span.rpc}</Item>
          <Item label={t('trace.messaging')}>{span.messaging}</Item>
          <Item label={t('trace.database')}>
            {span.db && [span.db.system, span.db.name].filter(Boolean).join(' · ')}
          </Item>
          <Item label={t('trace.span_id')}>
            <Mono text={span.span_id} />
          </Item>
        </dl>
        {(span.db?.statement || span.db?.normalized) && (
          <Section title={t('trace.sql')}>
            <Block text={span.db.statement || span.db.normalized} what={t('trace.sql')} />
          </Section>
        )}
        {span.exception?.stacktrace && (
          <Section title={t('trace.stack')}>
            <Block text={span.exception.stacktrace} what={t('trace.stack')} wrap={false} />
          </Section>
        )}
        <Events span={span} />
        <Pairs title={t('trace.attributes')} pairs={span.attributes} />
        <Pairs title={t('trace.resource')} pairs={span.resource} />
        {span.dropped > 0 && <p className="dim">{t('trace.dropped', { count: span.dropped })}</p>}
      </div>
    </aside>
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
  const events = span.events ?? [];
  if (events.length === 0) return null;
  return (
    <Section title={t('trace.events')}>
      {events.map((event, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: events have no id and never change
        <details key={i} className={classes.event}>
          <summary>
            <span className="dim">{`+${duration(event.offset_ns)}`}</span> {event.name}
          </summary>
          <PairTable pairs={event.attributes ?? {}} />
        </details>
      ))}
    </Section>
  );
}

function Pairs({ title, pairs }: { title: string; pairs: Record<string, unknown> | null }) {
  if (!pairs || Object.keys(pairs).length === 0) return null;
  return (
    <Section title={title}>
      <PairTable pairs={pairs} />
    </Section>
  );
}

function PairTable({ pairs }: { pairs: Record<string, unknown> }) {
  return (
    <dl className={classes.pairs}>
      {Object.entries(pairs)
        .sort(([a], [b]) => a.localeCompare(b))
        .map(([name, value]) => {
          const text = typeof value === 'string' ? value : JSON.stringify(value);
          return (
            <div key={name}>
              <dt>{name}</dt>
              <dd>
                {text.length > LONG ? (
                  <Block text={text} what={name} />
                ) : (
                  <>
                    <code>{text}</code>
                    <Copy text={text} what={name} className={classes.copy} />
                  </>
                )}
              </dd>
            </div>
          );
        })}
    </dl>
  );
}
