import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import type { Attempt, Call } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { Block } from '../../parts/Mono.tsx';
import { Cost } from '../calls/Cost.tsx';
import { Outcome } from '../calls/Outcome.tsx';
import classes from './Call.module.css';
import { readable } from './readable.ts';

/** Every model that was asked, in order, with the answers that were not accepted. */
export function Attempts({ call }: { call: Call }) {
  const { t } = useTranslation();
  return (
    <section>
      <h2 className={classes.heading}>{t('calls.attempts')}</h2>
      {call.attempts.length === 0 ? (
        <p className="dim">{t('calls.no_attempts')}</p>
      ) : (
        <div className="panel scroll-x">
          <table className={`table ${classes.table}`}>
            <thead>
              <tr>
                <th className="num">{t('calls.column.number')}</th>
                <th>{t('calls.column.model')}</th>
                <th>{t('calls.column.status')}</th>
                <th className="num">{t('calls.column.latency')}</th>
                <th className="num">{t('calls.column.input')}</th>
                <th className="num">{t('calls.column.output')}</th>
                <th className="num">{t('calls.column.cost')}</th>
              </tr>
            </thead>
            <tbody>
              {call.attempts.map((attempt, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: an attempt is its place in the order
                <Row key={i} attempt={attempt} number={i + 1} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

function Row({ attempt, number }: { attempt: Attempt; number: number }) {
  const { t } = useTranslation();
  const { usage } = attempt;
  const refused = attempt.status !== 'ok' && attempt.answer !== '';
  const notes = [
    attempt.repair && t('calls.repair'),
    attempt.requests > 1 && t('calls.requests', { requests: attempt.requests }),
  ].filter(Boolean);
  return (
    <Fragment>
      <tr data-joined={refused || undefined}>
        <td className="num dim">{number}</td>
        <td>
          {attempt.model} <span className={classes.second}>{attempt.provider}</span>
          {attempt.served_model && attempt.served_model !== attempt.model && (
            <div className={classes.second}>{t('calls.served', { model: attempt.served_model })}</div>
          )}
        </td>
        <td>
          <Outcome status={attempt.status} />
          {attempt.error && <div className={classes.second}>{attempt.error}</div>}
          {notes.length > 0 && <div className={classes.second}>{notes.join(' · ')}</div>}
        </td>
        <td className="num">
          {attempt.status === 'skipped' ? <span className="dim">{'–'}</span> : durationMs(attempt.latency_ms)}
        </td>
        <td className="num">{count(usage.input_tokens)}</td>
        <td className="num">{count(usage.output_tokens)}</td>
        <td className="num">
          <Cost usage={usage} />
        </td>
      </tr>
      {refused && (
        <tr>
          <td />
          <td colSpan={6} className={classes.refused}>
            <details>
              <summary>{t('calls.refused_answer')}</summary>
              <Block text={readable(attempt.answer)} what={t('calls.refused_answer')} />
            </details>
          </td>
        </tr>
      )}
    </Fragment>
  );
}
