import { IconCircleCheckFilled, IconDatabaseExport, IconPlugConnectedX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { shippingQuery } from '../../api/models.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import badges from '../../parts/State.module.css';
import { When } from '../../parts/When.tsx';
import classes from './Models.module.css';

/** How the records of calls get to a search engine, when one is configured. */
export function Shipping() {
  const { t } = useTranslation();
  const query = useQuery(shippingQuery(usePausedAt()));
  const { data, error, isPending, refetch } = query;
  const status = data?.status;
  const Icon = status?.error ? IconPlugConnectedX : IconCircleCheckFilled;
  return (
    <section aria-labelledby="shipping">
      <div className="page-head">
        <h2 id="shipping">{t('models.shipping')}</h2>
      </div>
      <p className="lead">{t('models.shipping_lead')}</p>
      <div className="panel scroll-x" aria-busy={isPending}>
        <Stale query={query} />
        {error && !data ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : data && !status ? (
          <Empty icon={IconDatabaseExport} title={t('models.not_shipped')}>
            <p>{t('models.not_shipped_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('models.state')}</th>
                <th>{t('models.destination')}</th>
                <th className="num">{t('models.shipped')}</th>
                <th className="num">{t('models.waiting')}</th>
                <th className="num">{t('models.refused')}</th>
                <th>{t('models.last_try')}</th>
              </tr>
            </thead>
            <tbody>
              {!status ? (
                <SkeletonRows rows={1} columns={6} />
              ) : (
                <tr>
                  <td>
                    <span className={badges.badge} data-tone={status.error ? 'warning' : 'ok'}>
                      <Icon size={14} aria-hidden />
                      {t(status.error ? 'models.ship_waits' : 'models.ship_runs')}
                    </span>
                    {status.error && <div className={classes.reason}>{status.error}</div>}
                  </td>
                  <td>
                    {status.urls?.map((url) => (
                      <div key={url}>{url}</div>
                    ))}
                    <code>{`${status.index}-calls, ${status.index}-attempts`}</code>
                  </td>
                  <td className="num">{count(status.shipped)}</td>
                  <td className="num">
                    {count(status.waiting)}
                    {status.oldest && (
                      <div>
                        <When at={status.oldest} />
                      </div>
                    )}
                  </td>
                  <td className="num">
                    {status.refused > 0 ? (
                      <span className={badges.badge} data-tone="critical">
                        {count(status.refused)}
                      </span>
                    ) : (
                      count(0)
                    )}
                  </td>
                  <td>{status.at ? <When at={status.at} /> : t('models.never')}</td>
                </tr>
              )}
            </tbody>
          </table>
        )}
      </div>
      {status && status.refused > 0 && <p className={classes.means}>{t('models.refused_means')}</p>}
    </section>
  );
}
