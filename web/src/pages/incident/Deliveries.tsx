import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Delivery } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Attempts, Outcome } from '../../parts/notify/Attempts.tsx';
import { KindName } from '../../parts/notify/KindName.tsx';
import notify from '../../parts/notify/Notify.module.css';
import { When } from '../../parts/When.tsx';
import { attemptsOf, troubled } from './delivery.ts';
import classes from './Incident.module.css';

/** Whom MATRIX told, whether it arrived, and every attempt. */
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
        {deliveries.map((delivery) => (
          <Row key={delivery.id} delivery={delivery} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const log = attemptsOf(delivery);
  const [open, setOpen] = useState(() => troubled(delivery));
  return (
    <>
      <tr>
        <td>
          {delivery.target}
          <div className="dim">
            <KindName kind={delivery.kind} />
            {WORDS[delivery.message] ? t(WORDS[delivery.message] as 'deliveries.alarm') : delivery.subject}
          </div>
        </td>
        <td>
          <Outcome of={delivery.state} label={t(`deliveries.${delivery.state as 'delivered'}`, delivery.state)} />
          {delivery.together && (
            <div className="dim">
              {delivery.together.subject}
              {' · '}
              {t(`deliveries.${delivery.together.state as 'delivered'}`, delivery.together.state)}
            </div>
          )}
          {delivery.due_at && (
            <div className="dim">
              {t('channels.log.due')} <When at={delivery.due_at} clock />
            </div>
          )}
          {delivery.error && log.length === 0 && <div className="dim">{delivery.error}</div>}
        </td>
        <td className="num">
          {log.length > 0 ? (
            <button
              type="button"
              className={notify.toggle}
              aria-expanded={open}
              aria-label={t('channels.log.show', { count: log.length, subject: delivery.target })}
              onClick={() => setOpen(!open)}
            >
              {count(log.length)}
            </button>
          ) : (
            count(delivery.attempts)
          )}
        </td>
        <td>{delivery.at && <When at={delivery.at} clock />}</td>
      </tr>
      {open && (
        <tr>
          <td colSpan={4}>
            <Attempts log={log} />
          </td>
        </tr>
      )}
    </>
  );
}

const WORDS: Record<string, string> = { 'incident.alarm': 'deliveries.alarm', 'incident.report': 'deliveries.report' };
