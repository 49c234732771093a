import { useTranslation } from 'react-i18next';
import type { TryAnswer } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { Block } from '../../parts/Mono.tsx';
import { readable } from '../call/readable.ts';
import { Cost } from '../calls/Cost.tsx';
import { Outcome } from '../calls/Outcome.tsx';
import classes from './TryOut.module.css';

/** An answer with what one judges it by: validity, cost, latency, and what was tried on the way. */
export function TryAnswerView({ answer }: { answer: TryAnswer }) {
  const { t } = useTranslation();
  const refused = answer.attempts.findLast((each) => each.answer)?.answer ?? '';
  const text = answer.text || refused;
  const names = (answer.dropped ?? []).map((name) => t(`roles.parameter.${name as 'top_p'}`, name)).join(', ');
  return (
    <div className={classes.answer}>
      <dl className={classes.facts}>
        <div>
          <dt>{t('calls.column.status')}</dt>
          <dd>
            <Outcome status={answer.error ? 'exhausted' : 'ok'} />
          </dd>
        </div>
        <div>
          <dt>{t('calls.schema.title')}</dt>
          <dd>
            {answer.schema_valid === null ? (
              <span className="dim">{t('calls.schema.none')}</span>
            ) : (
              t(answer.schema_valid ? 'calls.schema.valid' : 'calls.schema.invalid')
            )}
          </dd>
        </div>
        <div>
          <dt>{t('calls.column.model')}</dt>
          <dd>{answer.model}</dd>
        </div>
        <div>
          <dt>{t('calls.column.latency')}</dt>
          <dd>{durationMs(answer.latency_ms)}</dd>
        </div>
        <div>
          <dt>{t('calls.column.cost')}</dt>
          <dd>
            <Cost usage={answer.usage} />
          </dd>
        </div>
        <div>
          <dt>{t('calls.tokens')}</dt>
          <dd>
            {t('calls.in_out', { input: count(answer.usage.input_tokens), output: count(answer.usage.output_tokens) })}
          </dd>
        </div>
      </dl>
      {answer.error && <p className={classes.failed}>{answer.error}</p>}
      {names && <p className={classes.dropped}>{t('calls.dropped', { names })}</p>}
      {text && <Block text={readable(text)} what={t('calls.answer')} />}
      <h3>{t('calls.attempts')}</h3>
      <ol className={classes.attempts}>
        {answer.attempts.map((each, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: attempts have no name, and their order does not change
          <li key={i}>
            <Outcome status={each.status} />
            <span>{`${each.provider} · ${each.model}`}</span>
            <span className="dim">{durationMs(each.latency_ms)}</span>
            {each.repair && <span className="dim">{t('calls.repair')}</span>}
            {each.error && <span className="dim">{each.error}</span>}
          </li>
        ))}
      </ol>
    </div>
  );
}
