import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { LiveSession } from '../api/types.ts';
import { device } from '../format/device.ts';
import { SkeletonRows } from './SkeletonRows.tsx';
import { When } from './When.tsx';

interface Props {
  rows: LiveSession[] | undefined;
  /** What can be done to a session, or what is to be said of it. */
  action?: (session: LiveSession) => ReactNode;
}

/** Sessions by the device they were begun on. */
export function SessionTable({ rows, action }: Props) {
  const { t } = useTranslation();
  if (rows?.length === 0) return <p className="dim">{t('sessions.none')}</p>;
  return (
    <section className="panel scroll-x" aria-busy={!rows}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('sessions.device')}</th>
            <th>{t('sessions.address')}</th>
            <th>{t('sessions.method')}</th>
            <th>{t('sessions.begun')}</th>
            <th>{t('sessions.seen')}</th>
            {action && <th aria-label={t('settings.actions')} />}
          </tr>
        </thead>
        <tbody>
          {!rows && <SkeletonRows rows={2} columns={action ? 6 : 5} />}
          {rows?.map((session) => (
            <tr key={session.id}>
              <td>
                <strong title={session.agent}>{device(session.agent) || t('sessions.unknown')}</strong>
              </td>
              <td>
                <code>{session.address || '–'}</code>
              </td>
              <td>{session.method === 'oidc' ? session.provider : t('login.password')}</td>
              <td>
                <When at={session.created_at} />
              </td>
              <td>
                <When at={session.seen_at} />
              </td>
              {action && (
                <td>
                  <div className="row-actions">{action(session)}</div>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
