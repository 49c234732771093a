import { Skeleton } from '@mantine/core';
import { IconFileText } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { traceLogsQuery } from '../../api/traces.ts';
import type { LogRecord, Outline } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { LogLines } from '../../parts/LogLines.tsx';
import classes from './Logs.module.css';

interface Props {
  project: number;
  outline: Outline;
  /** Its records come first. */
  span?: string;
}

/** What was logged during the trace, the oldest first. A click opens the record among the logs. */
export function Logs({ project, outline, span }: Props) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q, from, to } = around(outline);
  const { data, error, refetch } = useQuery(traceLogsQuery(project, { q, from, to }));
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={120} m={12} width="auto" />;
  if (data.items.length === 0) {
    return (
      <Empty icon={IconFileText} title={t('trace.no_logs')}>
        <p>{t('trace.no_logs_hint')}</p>
      </Empty>
    );
  }
  const own = span ? data.items.filter((each) => each.span_id === span) : data.items;
  const others = span ? data.items.filter((each) => each.span_id !== span) : [];
  const logs = { to: '/projects/$project/logs', params: { project: String(project) } } as const;
  const open = (record: LogRecord) =>
    void navigate({ ...logs, search: { q, from, to, order: 'oldest', record: record.id } });
  return (
    <section className={classes.logs} aria-label={t('trace.logs')}>
      {own.length > 0 ? (
        <div className={classes.lines} style={{ '--lines': own.length } as React.CSSProperties}>
          <LogLines label={t('trace.logs')} records={own} oneService={span !== undefined} onSelect={open} />
        </div>
      ) : (
        <p className="dim">{t('trace.no_span_logs')}</p>
      )}
      {others.length > 0 && (
        <>
          <h3>{t('trace.other_logs', { n: count(others.length) })}</h3>
          <div className={classes.lines} style={{ '--lines': others.length } as React.CSSProperties}>
            <LogLines label={t('trace.other_logs', { n: count(others.length) })} records={others} onSelect={open} />
          </div>
        </>
      )}
      <p className="dim">
        {data.next_cursor !== '' && `${t('trace.first_logs', { n: count(data.items.length) })} `}
        <Link {...logs} search={{ q, from, to, order: 'oldest' }}>
          {t('trace.logs_page')}
        </Link>
      </p>
    </section>
  );
}

/** The question for a trace's records: an hour around it, for clocks that disagree and lines written late. */
function around({ trace_id, start, duration_ns }: Outline) {
  const hour = 3_600_000;
  const from = Date.parse(start);
  return {
    q: `trace:${trace_id}`,
    from: new Date(from - hour).toISOString(),
    to: new Date(from + duration_ns / 1e6 + hour).toISOString(),
  };
}
