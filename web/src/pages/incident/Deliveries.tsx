import { IconCircleCheck, IconCircleX, IconClock, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Delivery } from '../../api/types.ts';
import { When } from '../../parts/When.tsx';
import classes from './Incident.module.css';

const STATES = {
  delivered: { icon: IconCircleCheck, tone: 'ok' },
  sending: { icon: IconRefresh, tone: 'none' },
  failed: { icon: IconCircleX, tone: 'critical' },
} as const;

/** Not attempted yet, or waiting for another try after a failure. */
const waiting = ({ error }: Delivery) => ({ icon: IconClock, tone: error ? 'warning' : 'none' });

/** Whom MATRIX told, and whether it arrived. */
export function Deliveries({ deliveries }: { deliveries: Delivery[] }) {
  const { t } = useTranslation();
  if (deliveries.length === 0) return <p className={classes.note}>{t('deliveries.none')}</p>;
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('deliveries.target')}</th>
          <th>{t('deliveries.state')}</th>
          <th className="num">{t('deliveries.attempts')}</th>
          <th>{t('deliveries.at')}</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery, i) => {
          const { icon: Icon, tone } = STATES[delivery.state as keyof typeof STATES] ?? waiting(delivery);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: one target may have been told twice
            <tr key={i}>
              <td>
                {delivery.target}
                <div className="dim">
                  {t(delivery.message === 'incident.report' ? 'deliveries.report' : 'deliveries.alarm')}
                  {' · '}
                  {t(`channels.kind.${delivery.kind as 'slack'}`, delivery.kind)}
                </div>
              </td>
              <td>
                <span className={classes.delivery} data-tone={tone}>
                  <Icon size={15} aria-hidden />
                  {t(`deliveries.${delivery.state as 'delivered'}`, delivery.state)}
                </span>
                {delivery.error && <div className="dim">{delivery.error}</div>}
              </td>
              <td className="num">{delivery.attempts}</td>
              <td>{delivery.at && <When at={delivery.at} clock />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
