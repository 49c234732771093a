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
import { type Step, timeline } from './timeline.ts';

/** Every model that was asked, in order and on one axis of time, with the answers that were not accepted. */
export function Attempts({ call }: { call: Call }) {
  const { t } = useTranslation();
  const { total, steps } = timeline(call);
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
                <th>{t('calls.column.time', { total: durationMs(total) })}</th>
                <th className="num">{t('calls.column.latency')}</th>
                <th className="num">{t('calls.column.input')}</th>
                <th className="num">{t('calls.column.output')}</th>
                <th className="num">{t('calls.column.cost')}</th>
              </tr>
            </thead>
            <tbody>
              {call.attempts.map((attempt, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: an attempt is its place in the order
                <Row key={i} attempt={attempt} step={steps[i]} total={total} number={i + 1} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}

interface RowProps {
  attempt: Attempt;
  step?: Step;
  total: number;
  number: number;
}

function Row({ attempt, step, total, number }: RowProps) {
  const { t } = useTranslation();
  const { usage } = attempt;
  const asked = attempt.status !== 'skipped';
  const refused = attempt.status !== 'ok' && attempt.answer !== '';
  const more: [string, string][] = [];
  if (refused) more.push([t('calls.refused_answer'), readable(attempt.answer)]);
  if (attempt.usage_raw) more.push([t('calls.usage_raw'), JSON.stringify(attempt.usage_raw, null, 2)]);
  const dropped = attempt.dropped ?? [];
  const notes = [
    attempt.repair && t('calls.repair'),
    attempt.in_words && t('calls.in_words'),
    dropped.length > 0 &&
      t('calls.dropped', { names: dropped.map((name) => t(`roles.parameter.${name as 'top_p'}`, name)).join(', ') }),
  ].filter(Boolean);
  return (
    <Fragment>
      <tr data-joined={more.length > 0 || undefined}>
        <td className="num dim">{number}</td>
        <td>
          {attempt.model}
          <div className={`nowrap ${classes.second}`}>
            {[attempt.provider, attempt.key].filter(Boolean).join(' · ')}
          </div>
          {attempt.served_model && attempt.served_model !== attempt.model && (
            <div className={classes.second}>{t('calls.served', { model: attempt.served_model })}</div>
          )}
        </td>
        <td>
          <Outcome status={attempt.status} />
          {attempt.class && (
            <div className={classes.why}>
              {t(`failures.${attempt.class as 'timeout'}`, attempt.class)}
              {attempt.code && (
                <>
                  {' '}
                  <code>{attempt.code}</code>
                </>
              )}
            </div>
          )}
          {attempt.error && <div className={classes.second}>{attempt.error}</div>}
          {notes.length > 0 && <div className={classes.second}>{notes.join(' · ')}</div>}
        </td>
        <td>{asked && step && <Bar step={step} total={total} bad={attempt.status !== 'ok'} />}</td>
        <td className="num">
          {asked ? durationMs(attempt.latency_ms) : <span className="dim">{'–'}</span>}
          {attempt.first_token_ms > 0 && (
            <div className={classes.second}>{t('calls.first_token', { time: durationMs(attempt.first_token_ms) })}</div>
          )}
          {attempt.wait_ms > 0 && (
            <div className={classes.second}>{t('calls.waited', { time: durationMs(attempt.wait_ms) })}</div>
          )}
        </td>
        <td className="num">{count(usage.input_tokens)}</td>
        <td className="num">{count(usage.output_tokens)}</td>
        <td className="num">
          <Cost usage={usage} />
        </td>
      </tr>
      {more.length > 0 && (
        <tr>
          <td />
          <td colSpan={7} className={classes.more}>
            {more.map(([what, text]) => (
              <details key={what}>
                <summary>{what}</summary>
                <Block text={text} what={what} />
              </details>
            ))}
          </td>
        </tr>
      )}
    </Fragment>
  );
}

/** One attempt on the axis of its call: hollow until the answer began, hatched while the next one waited. */
function Bar({ step, total, bad }: { step: Step; total: number; bad: boolean }) {
  const { t } = useTranslation();
  const { start, first, took, wait } = step;
  const share = (ms: number) => `${(ms / total) * 100}%`;
  return (
    <div
      className={classes.bar}
      role="img"
      aria-label={t('calls.from_to', { from: durationMs(start), to: durationMs(start + took) })}
    >
      <i data-part="asked" data-bad={bad || undefined} style={{ left: share(start), width: share(took) }} />
      {first > 0 && <i data-part="first" style={{ left: share(start), width: share(first) }} />}
      {wait > 0 && <i data-part="wait" style={{ left: share(start + took), width: share(wait) }} />}
    </div>
  );
}
