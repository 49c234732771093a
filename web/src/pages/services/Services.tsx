import { SegmentedControl } from '@mantine/core';
import { IconSearch, IconStack2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { servicesQuery } from '../../api/services.ts';
import type { Service } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Change } from '../../parts/Change.tsx';
import { Sparkline } from '../../parts/chart/Sparkline.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { Health, useReason } from '../../parts/Health.tsx';
import { SortHead } from '../../parts/SortHead.tsx';
import { TopTable } from '../../parts/TopTable.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import classes from './Services.module.css';

/** How every service is doing, the worst first. */
export function Services() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const { sort = 'worst', q, environment, ...range } = useSearch({ from: '/home/projects/$project/services' });
  const pausedAt = usePausedAt();
  const list = useQuery(servicesQuery(projectId, { sort, q, environment }, { range, pausedAt }));
  const items = list.data?.items ?? [];
  const environments = [...new Set([...items.flatMap((s) => s.environments), ...(environment ? [environment] : [])])];
  const set = (next: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true });
  const head = { current: sort, onSort: (by: string) => set({ sort: by === 'worst' ? undefined : by }) };
  useTitle(t('nav.services'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.services')}</h1>
        <Filter label={t('services.filter')} value={q ?? ''} onChange={(v) => set({ q: v || undefined })} />
        {environments.length > 1 || environment ? (
          <SegmentedControl
            aria-label={t('services.environment')}
            value={environment ?? ''}
            onChange={(v) => set({ environment: v || undefined })}
            data={[{ value: '', label: t('services.all') }, ...environments.sort()]}
          />
        ) : null}
      </div>
      <TopTable
        list={list}
        rows={7}
        columns={10}
        empty={
          q || environment ? (
            <Empty icon={IconSearch} title={t('services.no_match')}>
              <p>{t('services.no_match_hint')}</p>
            </Empty>
          ) : (
            <Empty icon={IconStack2} title={t('services.none')}>
              <p>{t('services.none_hint')}</p>
              <FirstTelemetry project={projectId} />
            </Empty>
          )
        }
        head={
          <>
            <SortHead by="worst" {...head}>
              {t('services.column.health')}
            </SortHead>
            <SortHead by="name" ascending {...head}>
              {t('services.column.service')}
            </SortHead>
            <SortHead by="rate" num {...head}>
              {t('services.column.rate')}
            </SortHead>
            <th aria-label={t('services.column.rate_shape')} />
            <SortHead by="errors" num {...head}>
              {t('services.column.errors')}
            </SortHead>
            <th className="num">{'p50'}</th>
            <th className="num">{'p90'}</th>
            <SortHead by="p95" num {...head}>
              {'p95'}
            </SortHead>
            <th aria-label={t('services.column.p95_shape')} />
            <th className="num">{'p99'}</th>
          </>
        }
        row={(item) => <Row key={item.service} item={item} project={projectId} />}
      />
    </div>
  );
}

function Row({ item, project }: { item: Service; project: number }) {
  const { t } = useTranslation();
  const reason = useReason(item);
  const { now, spark } = item;
  const time = (ns: number) => (now.count === 0 ? '–' : duration(ns));
  return (
    <tr className="link">
      <td>
        <Health state={item.health.state} />
      </td>
      <td className={classes.service}>
        <Link
          className="row-link"
          to="/projects/$project/services/$service"
          params={{ project: String(project), service: item.service }}
        >
          {item.service}
        </Link>
        <div className={classes.second} data-state={item.health.state} title={reason || undefined}>
          {reason || item.environments.join(' · ') || t('services.no_environment')}
        </div>
      </td>
      <td className="num">
        <div>{rate(now.per_second)}</div>
        <div className={classes.changes}>
          <Change of={item} value={(r) => r.per_second} write={rate} neutral />
        </div>
      </td>
      <td className={classes.shape}>
        <Sparkline values={spark.per_second} tone="s8" />
      </td>
      <td className="num">
        <div>
          {now.errors > 0 ? (
            <Link
              className={classes.above}
              to="/projects/$project/transactions"
              params={{ project: String(project) }}
              search={{ service: item.service, errors: true }}
              aria-label={t('services.failed', { service: item.service, n: count(now.errors) })}
            >
              {percent(now.error_share)}
            </Link>
          ) : now.count === 0 ? (
            '–'
          ) : (
            percent(now.error_share)
          )}
        </div>
        <div className={classes.changes}>
          <Change of={item} value={(r) => r.error_share} write={percent} />
        </div>
      </td>
      <td className="num">{time(now.p50_ns)}</td>
      <td className="num">{time(now.p90_ns)}</td>
      <td className="num">
        <strong>{time(now.p95_ns)}</strong>
        <div className={classes.changes}>
          <Change of={item} value={(r) => r.p95_ns} write={(ns) => duration(ns)} />
        </div>
      </td>
      <td className={classes.shape}>
        <Sparkline values={spark.p95_ns} />
      </td>
      <td className="num">{time(now.p99_ns)}</td>
    </tr>
  );
}
