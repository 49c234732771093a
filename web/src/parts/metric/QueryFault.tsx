import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import classes from './Metric.module.css';
import { fault } from './promql.ts';

/** What is wrong with a query, at its place in it when the server knows. */
export function QueryFault({ query, error }: { query: string; error: unknown }) {
  const { t } = useTranslation();
  const problem = asProblem(error);
  const wrong = fault(problem.detail);
  const line = wrong && [...(query.split('\n')[wrong.line - 1] ?? '')];
  return (
    <div className={classes.fault} role="alert">
      {wrong ? (
        <>
          {t('metrics.wrong_at', { line: wrong.line, column: wrong.column })} {wrong.message}
        </>
      ) : (
        <>
          {t(`problem.${problem.reason}.what`)} {problem.detail}
        </>
      )}
      {wrong && line && (
        <code>
          {line.slice(0, wrong.column - 1).join('')}
          <mark>{line[wrong.column - 1] ?? '␣'}</mark>
          {line.slice(wrong.column).join('')}
        </code>
      )}
    </div>
  );
}
