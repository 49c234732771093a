import { IconFlame } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { endpointsQuery } from '../../api/services.ts';
import { duration } from '../../format/duration.ts';
import { percent, rate } from '../../format/number.ts';
import { Bar } from '../../parts/Bar.tsx';
import { Change } from '../../parts/Change.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { SortHead } from '../../parts/SortHead.tsx';
import { TopTable } from '../../parts/TopTable.tsx';
import type { ListProps } from './list.ts';
import { Nothing } from './Nothing.tsx';
import classes from './Service.module.css';

/** What the service is asked to do, by the time it spends on it. */
export function Endpoints({ project, service, environment, sort, q, following, set }: ListProps) {
  const { t } = useTranslation();
  const list = useQuery(endpointsQuery(project, service, { environment, sort, q }, following));
  const all = list.data?.items.reduce((sum, e) => sum + e.now.total_ns, 0) || 1;
  const head = { current: sort ?? 'time', onSort: (by: string) => set({ sort: by === 'time' ? undefined : by }) };
  return (
    <>
      <div className={classes.filter}>
        <Filter label={t('transactions.endpoint')} value={q ?? ''} onChange={(v) => set({ q: v || undefined })} />
      </div>
      <TopTable
        list={list}
        columns={8}
        empty={<Nothing />}
        head={
          <>
            <SortHead by="name" ascending {...head}>
              {t('transactions.endpoint')}
            </SortHead>
            <SortHead by="rate" num {...head}>
              {t('red.rate')}
            </SortHead>
            <SortHead by="errors" num {...head}>
              {t('red.errors')}
            </SortHead>
            <th className="num">{'p50'}</th>
            <th className="num">{'p90'}</th>
            <SortHead by="p95" num {...head}>
              {'p95'}
            </SortHead>
            <th className="num">{'p99'}</th>
            <SortHead by="time" {...head}>
              {t('service.share')}
            </SortHead>
          </>
        }
        row={(item) => {
          const { now } = item;
          const time = (ns: number) => (now.count ? duration(ns) : '–');
          return (
            <tr key={item.endpoint} className="link">
              <td>
                <Link
                  className="row-link"
                  to="/projects/$project/transactions"
                  params={{ project: String(project) }}
                  search={{ service, endpoint: item.endpoint }}
                >
                  {item.endpoint}
                </Link>{' '}
                <Link
                  className={classes.profile}
                  to="."
                  search={(old) => ({
                    ...old,
                    tab: 'profiles',
                    endpoint: item.endpoint,
                    sort: undefined,
                    q: undefined,
                  })}
                  aria-label={t('profiles.of_endpoint_of', { endpoint: item.endpoint })}
                  title={t('profiles.of_endpoint')}
                >
                  <IconFlame size={14} aria-hidden />
                </Link>
              </td>
              <td className="num">
                <div>{rate(now.per_second)}</div>
                <Change of={item} value={(r) => r.per_second} write={rate} neutral />
              </td>
              <td className="num">
                <div>{now.count ? percent(now.error_share) : '–'}</div>
                <Change of={item} value={(r) => r.error_share} write={percent} />
              </td>
              <td className="num">{time(now.p50_ns)}</td>
              <td className="num">{time(now.p90_ns)}</td>
              <td className="num">
                <strong>{time(now.p95_ns)}</strong>
                <div>
                  <Change of={item} value={(r) => r.p95_ns} write={(ns) => duration(ns)} />
                </div>
              </td>
              <td className="num">{time(now.p99_ns)}</td>
              <td>
                <div className="row">
                  <Bar share={now.total_ns / all} style={{ minWidth: 70 }} />
                  <span className="nowrap">{percent(now.total_ns / all)}</span>
                </div>
              </td>
            </tr>
          );
        }}
      />
    </>
  );
}
