import { Link } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Delivery } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { SkeletonRows } from '../SkeletonRows.tsx';
import { When } from '../When.tsx';
import { Attempts, Outcome } from './Attempts.tsx';
import { KindName } from './KindName.tsx';
import classes from './Notify.module.css';

/** Messages and what became of them, each with its attempts behind a press. */
export function DeliveryTable({ rows, pending }: { rows?: Delivery[]; pending: boolean }) {
  const { t } = useTranslation();
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('channels.log.written')}</th>
          <th>{t('channels.log.message')}</th>
          <th>{t('deliveries.target')}</th>
          <th>{t('deliveries.state')}</th>
          <th className="num">{t('deliveries.attempts')}</th>
        </tr>
      </thead>
      <tbody>
        {pending && <SkeletonRows rows={8} columns={5} />}
        {rows?.map((delivery) => (
          <Row key={delivery.id} delivery={delivery} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const log = delivery.log;
  return (
    <Fragment>
      <tr>
        <td className="nowrap">
          <When at={delivery.created_at} clock />
        </td>
        <td>
          {delivery.subject || delivery.message}
          <About delivery={delivery} />
        </td>
        <td>
          {delivery.target}
          <div className="dim">
            <KindName kind={delivery.kind} />
          </div>
        </td>
        <td>
          <Outcome of={delivery.state} label={t(`deliveries.${delivery.state as 'delivered'}`)} />
          {delivery.due_at && (
            <div className="dim">
              {t('channels.log.due')} <When at={delivery.due_at} clock />
            </div>
          )}
          {delivery.error && <div className="dim">{delivery.error}</div>}
        </td>
        <td className="num">
          {log.length > 0 ? (
            <button
              type="button"
              className={classes.toggle}
              aria-expanded={open}
              aria-label={t('channels.log.show', { count: delivery.attempts, subject: delivery.subject })}
              onClick={() => setOpen(!open)}
            >
              {count(delivery.attempts)}
            </button>
          ) : (
            count(delivery.attempts)
          )}
        </td>
      </tr>
      {open && (
        <tr>
          <td />
          <td colSpan={4}>
            <Attempts log={log} />
          </td>
        </tr>
      )}
    </Fragment>
  );
}

/** What a message is about: an incident leads to its page. */
function About({ delivery: { ref, project_id } }: { delivery: Delivery }) {
  const { t } = useTranslation();
  if (!ref) return null;
  const incident = /^incident\/(\d+)$/.exec(ref)?.[1];
  return (
    <div className="dim">
      {incident ? (
        <Link to="/projects/$project/incidents/$incident" params={{ project: String(project_id), incident }}>
          {t('channels.log.incident', { id: incident })}
        </Link>
      ) : (
        ref
      )}
    </div>
  );
}
