import { Link, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { ExperimentAnswer, ExperimentResults } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { changes } from '../../parts/diff.ts';
import { Block } from '../../parts/Mono.tsx';
import { Opinion } from '../../parts/Opinion.tsx';
import { Lines } from '../../parts/Versions.tsx';
import { readable } from '../call/readable.ts';
import { Cost } from '../calls/Cost.tsx';
import classes from './Playground.module.css';
import { variantName } from './variant.ts';

/** The one or two answers that are chosen, side by side, and in which lines they differ. */
export function Compare({ project, results }: { project: number; results: ExperimentResults }) {
  const { t } = useTranslation();
  const { left, right } = useSearch({ from: '/home/projects/$project/playground/$experiment' });
  const chosen = [left, right].flatMap((number) => results.answers.filter((a) => a.number === number && a.outcome));
  const [first, second] = chosen;
  if (!first) return null;
  const lines = second && changes(readable(first.outcome?.answer ?? ''), readable(second.outcome?.answer ?? ''));
  return (
    <section className={classes.section}>
      <h2>{t('playground.compare')}</h2>
      <div className={classes.beside}>
        {chosen.map((answer) => (
          <Side key={answer.number} project={project} results={results} answer={answer} />
        ))}
      </div>
      {lines && (
        <div className={`panel ${classes.diff}`}>
          {lines.length > 0 ? <Lines lines={lines} /> : <p className={classes.side}>{t('playground.same')}</p>}
        </div>
      )}
    </section>
  );
}

function Side({ project, results, answer }: { project: number; results: ExperimentResults; answer: ExperimentAnswer }) {
  const { t } = useTranslation();
  const words = {
    version: t('labels.version'),
    temperature: t('roles.parameter.temperature'),
    top_p: t('roles.parameter.top_p'),
  };
  const variant = results.variants[answer.variant];
  const o = answer.outcome;
  if (!variant || !o) return null;
  return (
    <article className={`panel ${classes.side}`}>
      <h3>{`${results.inputs[answer.input]?.title ?? ''} · ${variantName(variant, words).join(' · ')}`}</h3>
      <p className={classes.cellFacts}>
        <span>{o.model}</span>
        <span>{durationMs(o.latency_ms)}</span>
        <Cost usage={o.usage} />
        {o.valid !== null && <span>{t(o.valid ? 'playground.valid' : 'playground.invalid')}</span>}
        {o.grounded !== null && <span>{t(o.grounded ? 'playground.grounded' : 'playground.ungrounded')}</span>}
        {o.attempts > 1 && <span>{t('calls.attempts_made', { attempts: o.attempts })}</span>}
        {o.call_id && (
          <Link to="/projects/$project/ai-calls/$call" params={{ project: String(project), call: o.call_id }}>
            {t('replay.to_call')}
          </Link>
        )}
      </p>
      {o.error && <p className={classes.wrong}>{o.error}</p>}
      {o.unstated.length > 0 && (
        <ul className={classes.warn}>
          {o.unstated.map((each) => (
            <li key={each}>{each}</li>
          ))}
        </ul>
      )}
      {o.answer && <Block text={readable(o.answer)} what={t('calls.answer')} />}
      {o.call_id && <Opinion project={project} call={o.call_id} />}
    </article>
  );
}
