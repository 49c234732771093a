import { Button } from '@mantine/core';
import { IconDatabase, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { spanQuery } from '../../api/traces.ts';
import type { StatementTotal } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { Copy } from '../../parts/Copy.tsx';
import { copyText } from '../../parts/copyText.ts';
import { Empty } from '../../parts/Empty.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import classes from './Lists.module.css';
import type { Model } from './model.ts';
import { StatementLink } from './StatementLink.tsx';

interface Props {
  model: Model;
  project: number;
  selected: number;
  onSelect: (span: number) => void;
}

/** The SQL statements of the trace, each once with what all its runs cost. */
export function Statements({ model, project, selected, onSelect }: Props) {
  const { t } = useTranslation();
  const { statements, duration_ns } = model.outline;
  if (statements.length === 0) {
    return <Empty icon={IconDatabase} title={t('trace.no_sql')} />;
  }
  return (
    <section className={classes.scroll} aria-label={t('trace.kind.sql')}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('trace.statement')}</th>
            <th className="num">{t('trace.times')}</th>
            <th className="num">{t('trace.total')}</th>
            <th className="num">{t('trace.share')}</th>
            <th className="num">{t('trace.longest')}</th>
            <th className="num">{t('trace.rows')}</th>
            <th className="num">{t('trace.errors')}</th>
            <th />
          </tr>
        </thead>
        <tbody onKeyDown={rowKeys}>
          {statements.map((s) => (
            <tr key={s.hash} className="link" aria-selected={s.slowest === selected}>
              <td className={classes.main}>
                <button type="button" className={`row-link ${classes.link}`} onClick={() => onSelect(s.slowest)}>
                  {[s.operation, s.tables.join(', ')].filter(Boolean).join(' ') || s.system}
                </button>
                <code className={classes.text}>{s.text}</code>
              </td>
              <td className="num">{count(s.count)}</td>
              <td className="num">
                <strong>{duration(s.total_ns)}</strong>
              </td>
              <td className="num">{percent(s.total_ns / Math.max(1, duration_ns))}</td>
              <td className="num">{duration(s.max_ns)}</td>
              <td className="num">{s.rows > 0 && count(s.rows)}</td>
              <td className="num">
                {s.failed > 0 && (
                  <span className={classes.bad}>
                    <IconX size={13} stroke={2.6} aria-hidden /> {count(s.failed)}
                  </span>
                )}
              </td>
              <td className={classes.actions}>
                <StatementLink project={project} hash={s.hash}>
                  {t('trace.statement_page')}
                </StatementLink>
                <Copy text={s.text} what={t('trace.normalized')} />
                <CopyRaw model={model} project={project} statement={s} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Copies the statement as its slowest run sent it, which is read when it is wanted. */
function CopyRaw({ model, project, statement }: { model: Model; project: number; statement: StatementTotal }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle');
  const copy = async () => {
    try {
      const id = model.spans[statement.slowest]?.span_id ?? '';
      const span = await client.fetchQuery(spanQuery(project, model.outline.trace_id, id));
      await copyText(span.db?.statement || statement.text);
      setState('done');
    } catch {
      setState('failed');
    }
  };
  const label = { idle: 'trace.copy_raw', done: 'copy.done', failed: 'trace.copy_failed' } as const;
  return (
    <Button size="compact-xs" variant="default" onClick={() => void copy()}>
      {t(label[state])}
    </Button>
  );
}
