import { IconDatabase, IconSearch } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { statementsQuery } from '../../api/statements.ts';
import type { StatementStats } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Bar } from '../../parts/Bar.tsx';
import { Change } from '../../parts/Change.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { SortHead } from '../../parts/SortHead.tsx';
import { TopTable } from '../../parts/TopTable.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import classes from './Sql.module.css';

/** The SQL of the project by its normalised text, what costs most time first. */
export function Statements() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const { sort = 'time', q, service, system, ...range } = useSearch({ from: '/home/projects/$project/sql' });
  const pausedAt = usePausedAt();
  const list = useQuery(statementsQuery(projectId, { sort, q, service, system }, { range, pausedAt }));
  const filtered = Boolean(q || service || system);
  const set = (next: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true });
  const head = { current: sort, onSort: (by: string) => set({ sort: by === 'time' ? undefined : by }) };
  useTitle(t('nav.sql'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.sql')}</h1>
        <Filter label={t('sql.text')} value={q ?? ''} onChange={(v) => set({ q: v || undefined })} />
        <Filter
          width={170}
          label={t('sql.service')}
          value={service ?? ''}
          onChange={(v) => set({ service: v || undefined })}
        />
        <Filter
          width={150}
          label={t('sql.system')}
          value={system ?? ''}
          onChange={(v) => set({ system: v || undefined })}
        />
      </div>
      <TopTable
        list={list}
        rows={10}
        columns={9}
        empty={
          <Empty icon={filtered ? IconSearch : IconDatabase} title={t(filtered ? 'sql.no_match' : 'sql.none')}>
            <p>{t(filtered ? 'sql.no_match_hint' : 'sql.none_hint')}</p>
          </Empty>
        }
        head={
          <>
            <th>{t('sql.column.statement')}</th>
            <SortHead by="time" {...head}>
              {t('sql.column.share')}
            </SortHead>
            <SortHead by="rate" num {...head}>
              {t('red.rate')}
            </SortHead>
            <SortHead by="average" num {...head}>
              {t('sql.column.average')}
            </SortHead>
            <th className="num">{'p50'}</th>
            <SortHead by="p95" num {...head}>
              {'p95'}
            </SortHead>
            <th className="num">{'p99'}</th>
            <SortHead by="errors" num {...head}>
              {t('red.errors')}
            </SortHead>
            <SortHead by="rows" num {...head}>
              {t('sql.column.rows')}
            </SortHead>
          </>
        }
        row={(item) => <Row key={item.hash} item={item} project={projectId} service={service} />}
      />
    </div>
  );
}

function Row({ item, project, service }: { item: StatementStats; project: number; service?: string }) {
  const { t, i18n } = useTranslation();
  const { now } = item;
  return (
    <tr className="link">
      <td className={classes.statement}>
        <Link
          className="row-link"
          to="/projects/$project/sql/$hash"
          params={{ project: String(project), hash: item.hash }}
          search={{ service }}
        >
          <code className={classes.text}>{item.text || item.hash}</code>
        </Link>
        <div className={`clip ${classes.second}`}>
          {[item.system, item.services.join(', ')].filter(Boolean).join(' · ')}
        </div>
      </td>
      <td>
        <div className="row">
          <Bar share={item.share} style={{ width: 64 }} />
          <span className="nowrap">{percent(item.share)}</span>
        </div>
        <div className={classes.second}>{t('sql.total', { time: duration(now.total_ns, i18n.language) })}</div>
      </td>
      <td className="num">
        <div>{rate(now.per_second)}</div>
        <Change of={item} value={(r) => r.per_second} write={rate} neutral />
      </td>
      <td className="num">{duration(now.average_ns)}</td>
      <td className="num">{duration(now.p50_ns)}</td>
      <td className="num">
        <strong>{duration(now.p95_ns)}</strong>
        <div>
          <Change of={item} value={(r) => r.p95_ns} write={(ns) => duration(ns)} />
        </div>
      </td>
      <td className="num">{duration(now.p99_ns)}</td>
      <td className="num">
        <div>{percent(now.error_share)}</div>
        {now.errors > 0 && <div className={classes.second}>{t('red.count', { count: count(now.errors) })}</div>}
      </td>
      <td className="num">
        {item.rows > 0 && (
          <>
            <div>{count(item.rows)}</div>
            <div className={classes.second}>
              {t('sql.rows_per_call', { rows: count(Math.round(item.rows / now.count)) })}
            </div>
          </>
        )}
      </td>
    </tr>
  );
}
