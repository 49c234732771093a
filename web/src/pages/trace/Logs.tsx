import { Skeleton } from '@mantine/core';
import { IconFileText } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useRouter } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { traceLogsQuery } from '../../api/traces.ts';
import type { LogRecord, Outline } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { precise } from '../../format/time.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import classes from './Logs.module.css';

const PAGE = '/projects/$project/logs';

interface Props {
  project: number;
  outline: Outline;
  /** Its records come first. */
  span?: string;
  onSelect?: (span: string) => void;
}

/** What was logged during the trace, the oldest first. */
export function Logs({ project, outline, span, onSelect }: Props) {
  const { t } = useTranslation();
  const { routesByPath } = useRouter();
  const asked = around(outline);
  const { data, error, refetch } = useQuery(traceLogsQuery(project, asked));
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={120} m={12} />;
  const own = span ? data.items.filter((each) => each.span_id === span) : data.items;
  const others = span ? data.items.filter((each) => each.span_id !== span) : [];
  if (data.items.length === 0) {
    return (
      <Empty icon={IconFileText} title={t('trace.no_logs')}>
        <p>{t('trace.no_logs_hint')}</p>
      </Empty>
    );
  }
  return (
    <section className={classes.logs} aria-label={t('trace.logs')}>
      {span && own.length === 0 && <p className="dim">{t('trace.no_span_logs')}</p>}
      <Lines records={own} onSelect={onSelect} />
      {others.length > 0 && (
        <>
          <h3>{t('trace.other_logs', { n: count(others.length) })}</h3>
          <Lines records={others} onSelect={onSelect} />
        </>
      )}
      <p className="dim">
        {data.next_cursor !== '' && `${t('trace.first_logs', { n: count(data.items.length) })} `}
        {Object.hasOwn(routesByPath, PAGE) && (
          <a href={`/projects/${project}/logs?${new URLSearchParams({ ...asked })}`}>{t('trace.logs_page')}</a>
        )}
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

function Lines({ records, onSelect }: { records: LogRecord[]; onSelect?: (span: string) => void }) {
  return (
    <ol className={classes.lines}>
      {records.map((record) => (
        <li key={record.id} data-level={record.level}>
          <span className="dim">{precise(record.time).slice(-12)}</span> <b>{record.level}</b>{' '}
          {onSelect && record.span_id ? (
            <button type="button" onClick={() => onSelect(record.span_id ?? '')}>
              {record.service}
            </button>
          ) : (
            <span className="soft">{record.service}</span>
          )}{' '}
          {record.body}
        </li>
      ))}
    </ol>
  );
}
