import { Tooltip } from '@mantine/core';
import { IconMessages } from '@tabler/icons-react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../api/session.ts';
import type { UsageReport, UsageRow, Used } from '../../api/types.ts';
import type { UsageDimension, UsageFilter, UsageScope } from '../../api/usage.ts';
import { durationMs } from '../../format/duration.ts';
import { count, dollars } from '../../format/number.ts';
import { useProject, useProjects } from '../../frame/useProject.ts';
import { Times } from '../../parts/Change.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import classes from './Usage.module.css';
import { callsOf, nextOf, timesOf, tokensOf } from './usage.ts';

interface Props {
  report: UsageReport;
  scope: UsageScope;
  filter: UsageFilter;
  busy: boolean;
}

/** What each one of the dimension used; a row narrows the page to it. */
export function UsageRows({ report, scope, filter, busy }: Props) {
  const { t } = useTranslation();
  const by = report.by as UsageDimension;
  const compared = (report.before?.calls ?? 0) > 0;
  const during = { from: report.from, to: report.to };
  return (
    <section className="panel" aria-busy={busy}>
      <div className="scroll-x">
        <table className="table">
          <thead>
            <tr>
              <th>{t(`usage.by.${by}`)}</th>
              <th className={`num ${classes.comparedHead}`}>{t('usage.requests')}</th>
              <th className="num">{t('usage.errors')}</th>
              <th className={`num ${classes.comparedHead}`}>{t('usage.tokens')}</th>
              <th className={`num ${classes.comparedHead}`}>{t('usage.cost')}</th>
              <th className="num">{t('usage.average')}</th>
              <th className="num">{t('usage.latency')}</th>
              <th aria-label={t('usage.calls')} />
            </tr>
          </thead>
          <tbody onKeyDown={rowKeys}>
            {report.rows.map((row) => (
              <Row key={row.key} row={row} by={by} scope={scope} filter={filter} compared={compared} during={during} />
            ))}
          </tbody>
        </table>
      </div>
      <div className="foot">
        <span>{t('list.shown', { shown: count(report.rows.length), total: count(report.keys) })}</span>
        {compared && <span className="foot-end">{t('usage.compared')}</span>}
      </div>
    </section>
  );
}

/** The time that was counted: a relative range, and what is counted by whole hours, would mean other calls. */
interface During {
  from: string;
  to: string;
}

interface RowProps {
  row: UsageRow;
  by: UsageDimension;
  scope: UsageScope;
  filter: UsageFilter;
  compared: boolean;
  during: During;
}

function Row({ row, by, scope, filter, compared, during }: RowProps) {
  const { t } = useTranslation();
  const { key, name, used } = row;
  const none = key === '' || key === '0';
  const label = name || (none ? t('usage.nobody') : key);
  // Without a key it cannot be named in an address; narrowed to it already, there is nothing to open.
  const opens = key !== '' && filter[by] === undefined;
  const before = row.before as Used | null;
  const change = (of: (used: Used) => number | null, write: (value: number) => string, neutral: boolean) => {
    const then = before ? of(before) : 0;
    const times = compared ? timesOf(of(used), then) : undefined;
    return (
      times !== undefined && (
        <Times times={times} title={t('usage.then', { value: write(then ?? 0) })} neutral={neutral} />
      )
    );
  };
  const usd = (value: number) => dollars(value) ?? t('usage.unknown');
  return (
    <tr className={opens ? 'link' : undefined}>
      <td>
        {opens ? (
          <Link
            className={`row-link ${none ? classes.nobody : ''}`}
            from="/usage"
            to="/usage"
            search={(old) => ({ ...old, by: nextOf(by, { ...filter, [by]: key }), [by]: key })}
            resetScroll={false}
          >
            {label}
          </Link>
        ) : (
          <span className={none ? 'dim' : undefined}>{label}</span>
        )}
      </td>
      <Compared change={change((u) => u.calls, count, true)}>{count(used.calls)}</Compared>
      <td className="num">{count(used.failed)}</td>
      <Compared change={change(tokensOf, count, true)}>{count(tokensOf(used))}</Compared>
      <Compared change={change((u) => u.cost_usd, usd, false)}>
        {dollars(used.cost_usd) ?? <span className="dim">{t('usage.unknown')}</span>}
      </Compared>
      <td className="num">{durationMs(used.latency_avg_ms)}</td>
      <td className="num">{durationMs(used.latency_p95_ms)}</td>
      <td>
        <CallsLink row={{ ...filter, [by]: key }} scope={scope} during={during} label={label} />
      </td>
    </tr>
  );
}

/** A number beside how many times as much it is as in the time before. */
function Compared({ change, children }: { change: ReactNode; children: ReactNode }) {
  return (
    <td className="num">
      <span className={classes.compared}>
        <span>{children}</span>
        <span className={classes.change}>{change}</span>
      </span>
    </td>
  );
}

interface CallsLinkProps {
  row: UsageFilter;
  scope: UsageScope;
  during: During;
  label: string;
}

function CallsLink({ row, scope, during, label }: CallsLinkProps) {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const calls = callsOf(row, scope, useProject(), useProjects(), me.user.id);
  if (!calls) return null;
  const { project, ...narrowed } = calls;
  return (
    <div className={`row-actions ${classes.above}`}>
      <Tooltip label={t('usage.calls')}>
        <Link
          to="/projects/$project/ai-calls"
          params={{ project: String(project) }}
          search={{ ...narrowed, range: undefined, ...during }}
          aria-label={`${t('usage.calls')}: ${label}`}
        >
          <IconMessages size={16} aria-hidden />
        </Link>
      </Tooltip>
    </div>
  );
}
