import { useQuery } from '@tanstack/react-query';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { storageQuery } from '../../api/project.ts';
import type { SignalFootprint } from '../../api/types.ts';
import { bytes, count, percent } from '../../format/number.ts';
import { Bar } from '../../parts/Bar.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import classes from './Storage.module.css';

const COLUMNS = 5;

/** What the project's telemetry takes on the engine's disk, by signal and table. */
export function Storage({ project }: { project: number }) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(storageQuery(project));
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <div className="panel">
      <table className="table">
        <caption className={classes.caption}>
          {data ? t('storage.total', { bytes: bytes(data.bytes) }) : t('storage.counting')}
        </caption>
        <thead>
          <tr>
            <th>{t('storage.signal')}</th>
            <th className="num">{t('storage.rows')}</th>
            <th className="num">{t('storage.bytes')}</th>
            <th>{t('storage.share')}</th>
            <th className="num">{t('storage.kept')}</th>
          </tr>
        </thead>
        {!data && (
          <tbody>
            <SkeletonRows rows={6} columns={COLUMNS} />
          </tbody>
        )}
        {data?.signals.map((signal) => (
          <tbody key={signal.signal}>
            <Signal signal={signal} of={data.bytes} />
          </tbody>
        ))}
      </table>
    </div>
  );
}

function Signal({ signal, of }: { signal: SignalFootprint; of: number }) {
  const { t } = useTranslation();
  const share = of > 0 ? signal.bytes / of : 0;
  return (
    <Fragment>
      <tr className={classes.signal}>
        <th scope="row">{t(`storage.of.${signal.signal}`)}</th>
        <td className="num">{count(signal.rows)}</td>
        <td className="num">{bytes(signal.bytes)}</td>
        <td>
          <span className={classes.share}>
            <Bar share={share} style={{ width: 96 }} />
            {percent(share)}
          </span>
        </td>
        <td className="num">
          {signal.retention_days > 0 ? t('project.retention_days', { days: signal.retention_days }) : '–'}
        </td>
      </tr>
      {signal.tables
        .filter((table) => table.rows > 0)
        .map((table) => (
          <tr key={table.table}>
            <td className={classes.table}>
              <code translate="no">{table.table}</code>
            </td>
            <td className="num soft">{count(table.rows)}</td>
            <td className="num soft">{bytes(table.bytes)}</td>
            <td />
            <td />
          </tr>
        ))}
    </Fragment>
  );
}
