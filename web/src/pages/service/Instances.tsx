import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { instancesQuery } from '../../api/services.ts';
import { duration } from '../../format/duration.ts';
import { percent, rate } from '../../format/number.ts';
import { Mono } from '../../parts/Mono.tsx';
import { SortHead } from '../../parts/SortHead.tsx';
import { TopTable } from '../../parts/TopTable.tsx';
import { When } from '../../parts/When.tsx';
import type { ListProps } from './list.ts';
import { Nothing } from './Nothing.tsx';

/** The running copies of the service: is it one of them, or all? */
export function Instances({ project, service, environment, sort, following, set }: ListProps) {
  const { t } = useTranslation();
  const list = useQuery(instancesQuery(project, service, { environment, sort }, following));
  const head = {
    current: sort ?? 'rate',
    onSort: (by: string) => set({ sort: by === 'rate' ? undefined : by }),
    num: true,
  };
  return (
    <TopTable
      list={list}
      columns={9}
      empty={<Nothing />}
      head={
        <>
          <th>{t('service.instance')}</th>
          <th>{t('service.version')}</th>
          <SortHead by="rate" {...head}>
            {t('red.rate')}
          </SortHead>
          <SortHead by="errors" {...head}>
            {t('red.errors')}
          </SortHead>
          <th className="num">{'p50'}</th>
          <th className="num">{'p90'}</th>
          <SortHead by="p95" {...head}>
            {'p95'}
          </SortHead>
          <th className="num">{'p99'}</th>
          <th>{t('service.last_seen')}</th>
        </>
      }
      row={(item) => (
        <tr key={`${item.environment}/${item.instance}`}>
          <td>
            {item.instance ? <Mono text={item.instance} /> : <span className="dim">{t('service.unnamed')}</span>}
            <div className="dim">{item.environment}</div>
          </td>
          <td>{item.versions.join(', ')}</td>
          <td className="num">{rate(item.per_second)}</td>
          <td className="num">{percent(item.error_share)}</td>
          <td className="num">{duration(item.p50_ns)}</td>
          <td className="num">{duration(item.p90_ns)}</td>
          <td className="num">
            <strong>{duration(item.p95_ns)}</strong>
          </td>
          <td className="num">{duration(item.p99_ns)}</td>
          <td>
            <When at={item.last_seen} />
          </td>
        </tr>
      )}
    />
  );
}
