import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { versionsQuery } from '../../api/services.ts';
import { duration } from '../../format/duration.ts';
import { count, percent, rate } from '../../format/number.ts';
import { TopTable } from '../../parts/TopTable.tsx';
import { When } from '../../parts/When.tsx';
import type { ListProps } from './list.ts';
import { Nothing } from './Nothing.tsx';

/** What ran of the service, the newest first: did it begin with a version? */
export function Versions({ project, service, environment, following }: ListProps) {
  const { t } = useTranslation();
  const list = useQuery(versionsQuery(project, service, { environment }, following));
  return (
    <TopTable
      list={list}
      columns={10}
      empty={<Nothing />}
      head={
        <>
          <th>{t('service.version')}</th>
          <th>{t('service.first_seen')}</th>
          <th>{t('service.last_seen')}</th>
          <th className="num">{t('service.instances')}</th>
          <th className="num">{t('red.rate')}</th>
          <th className="num">{t('red.errors')}</th>
          <th className="num">{'p50'}</th>
          <th className="num">{'p90'}</th>
          <th className="num">{'p95'}</th>
          <th className="num">{'p99'}</th>
        </>
      }
      row={(item) => (
        <tr key={item.version}>
          <td>
            {item.version ? <strong>{item.version}</strong> : <span className="dim">{t('service.unnamed')}</span>}
          </td>
          <td>
            <When at={item.first_seen} />
          </td>
          <td>
            <When at={item.last_seen} />
          </td>
          <td className="num">{count(item.instances)}</td>
          <td className="num">{rate(item.per_second)}</td>
          <td className="num">{percent(item.error_share)}</td>
          <td className="num">{duration(item.p50_ns)}</td>
          <td className="num">{duration(item.p90_ns)}</td>
          <td className="num">
            <strong>{duration(item.p95_ns)}</strong>
          </td>
          <td className="num">{duration(item.p99_ns)}</td>
        </tr>
      )}
    />
  );
}
