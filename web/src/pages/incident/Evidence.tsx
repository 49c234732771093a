import { Tooltip } from '@mantine/core';
import {
  IconAlertTriangle,
  IconArrowsExchange,
  IconArrowUpRight,
  IconBug,
  IconCode,
  IconDatabase,
  IconFileText,
  IconGitCompare,
  IconHistory,
  IconHourglass,
  IconListDetails,
  IconMask,
  IconMessageSearch,
  IconNote,
  IconRocket,
  IconScale,
  IconTargetArrow,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ComponentType, useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { Fact, FactValue, Incident, Investigation } from '../../api/types.ts';
import { Block } from '../../parts/Mono.tsx';
import classes from './Evidence.module.css';
import { factFigure, factTitle, factValues, withUnit } from './fact.ts';
import { dataLink } from './link.ts';

const ICONS: Record<string, ComponentType<{ size: number; stroke: number }>> = {
  alarm: IconAlertTriangle,
  transaction: IconListDetails,
  step: IconCode,
  statement: IconDatabase,
  call: IconArrowsExchange,
  wait: IconHourglass,
  exception: IconBug,
  cause: IconTargetArrow,
  change: IconRocket,
  difference: IconGitCompare,
  log: IconFileText,
  past: IconHistory,
  comparison: IconScale,
  finding: IconMessageSearch,
  note: IconNote,
};

const KINDS = [
  'alarm',
  'cause',
  'change',
  'difference',
  'log',
  'past',
  'transaction',
  'statement',
  'call',
  'wait',
  'exception',
  'step',
  'comparison',
  'finding',
  'note',
];

/** The facts the report may speak of, by kind. The marked one is brought into sight. */
export function Evidence({ incident, marked }: { incident: Incident; marked?: string }) {
  const { t } = useTranslation();
  const facts = incident.evidence ?? [];
  if (facts.length === 0) return <p className={classes.none}>{t('evidence.none')}</p>;
  const kinds = [...new Set([...KINDS, ...facts.map((f) => f.kind)])];
  const sections = kinds.map((kind) => {
    const members = facts.filter((f) => f.kind === kind);
    if (members.length === 0) return null;
    const Icon = ICONS[kind] ?? IconNote;
    return (
      <section key={kind} className={classes.kind}>
        <h3>
          <Icon size={15} stroke={1.7} aria-hidden />
          {t(`evidence.kind.${kind as 'alarm'}`, kind)}
        </h3>
        {members.map((fact) => (
          <FactView key={fact.id} fact={fact} incident={incident} marked={fact.id === marked} />
        ))}
      </section>
    );
  });
  return (
    <>
      {sections}
      {incident.investigation && <Asked investigation={incident.investigation} />}
    </>
  );
}

/** What the investigator asked for, and why it ended. */
function Asked({ investigation }: { investigation: Investigation }) {
  const { t } = useTranslation();
  return (
    <section className={classes.kind} aria-labelledby="investigation">
      <h3 id="investigation">
        <IconMessageSearch size={15} stroke={1.7} aria-hidden />
        {t('evidence.investigation')}
      </h3>
      <p className={classes.ended}>
        {t(`evidence.ended.${investigation.ended}`)}{' '}
        {t('evidence.spent', {
          questions: investigation.questions.length,
          facts: investigation.facts,
          tokens: investigation.tokens,
        })}
      </p>
      <ol className={classes.questions}>
        {investigation.questions.map((question, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: questions never change their place
          <li key={i}>
            <code>{question.asked}</code>
            <span className="dim"> {question.error || question.facts.join(', ') || t('evidence.nothing_new')}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function FactView({ fact, incident, marked }: { fact: Fact; incident: Incident; marked: boolean }) {
  const { t } = useTranslation();
  const ref = useRef<HTMLElement>(null);
  useEffect(() => {
    if (!marked) return;
    if (ref.current) bringIntoSight(ref.current);
  }, [marked]);
  const sql = factValues(fact, 'sql').join('\n');
  const data = dataLink(fact);
  return (
    <article
      ref={ref}
      id={`fact-${fact.id}`}
      className={classes.fact}
      data-marked={marked || undefined}
      tabIndex={-1}
      aria-label={fact.id}
    >
      <header>
        <span className={classes.id}>{fact.id}</span>
        <span className={classes.title}>{factTitle(fact)}</span>
        <span className={classes.figure}>{factFigure(fact)}</span>
      </header>
      {fact.asked && (
        <p className={classes.asked}>
          <IconMessageSearch size={13} aria-hidden />
          {t('evidence.asked')} <code>{fact.asked}</code>
        </p>
      )}
      {sql && <Block text={sql} what={t('evidence.sql')} />}
      <Values values={(fact.values ?? []).filter((v) => v.name !== 'sql')} />
      <footer>
        {fact.trace_id && (
          <Link
            to="/projects/$project/traces/$traceId"
            params={{ project: String(incident.project_id), traceId: fact.trace_id }}
            search={{ span: fact.span_id, incident: incident.id }}
          >
            {fact.step ? t('evidence.to_step', { step: fact.step }) : t('evidence.to_trace')}
            <IconArrowUpRight size={14} aria-hidden />
          </Link>
        )}
        {data && !(fact.trace_id && data.page === 'traces') && (
          <Link to={data.to} search={data.search}>
            {t(`evidence.open.${data.page}`)}
            <IconArrowUpRight size={14} aria-hidden />
          </Link>
        )}
        <details>
          <summary>{t('evidence.as_read')}</summary>
          <code>{`[${fact.id}] ${fact.text}`}</code>
        </details>
      </footer>
    </article>
  );
}

// The names whose values are words of ours, not of the monitored programs.
const WORDS = new Set(['about', 'what', 'metric', 'when', 'error', 'change', 'verdict']);

/** Every value with its name; values of one name stand together. */
function Values({ values }: { values: FactValue[] }) {
  const { t } = useTranslation();
  const byName = new Map<string, FactValue[]>();
  for (const v of values) {
    if (v.value !== '') byName.set(v.name, [...(byName.get(v.name) ?? []), v]);
  }
  if (byName.size === 0) return null;
  const said = (name: string, v: FactValue) => {
    if (name === 'state') return t(`incident.state.${v.value as 'open'}`, v.value);
    return WORDS.has(name) ? t(`evidence.said.${v.value as 'gap'}`, v.value) : withUnit(v);
  };
  return (
    <dl className={classes.values}>
      {[...byName].map(([name, members]) => (
        <div key={name}>
          <dt>{t(`evidence.value.${name as 'elapsed'}`, name)}</dt>
          <dd>
            {members.map((v, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: one fact may hold the same value twice
              <span key={i} className={v.class ? classes.masked : undefined}>
                {i > 0 && ', '}
                {said(name, v)}
              </span>
            ))}
            {members.some((v) => v.class) && (
              <Tooltip label={t('evidence.masked')}>
                <IconMask size={13} aria-label={t('evidence.masked')} role="img" />
              </Tooltip>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** Scrolls the panel the fact stands in; where the panel does not scroll by itself, the page. */
function bringIntoSight(fact: HTMLElement) {
  fact.focus({ preventScroll: true });
  const panel = fact.closest<HTMLElement>('[role="tabpanel"]')?.parentElement;
  if (panel && panel.scrollHeight > panel.clientHeight) {
    panel.scrollTo({ top: fact.offsetTop - 80, behavior: 'smooth' });
  } else {
    fact.scrollIntoView({ block: 'start', behavior: 'smooth' });
  }
}
