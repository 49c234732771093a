import { Button } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { SkeletonRows } from './SkeletonRows.tsx';
import { When } from './When.tsx';

interface Secret {
  id: number;
  name: string;
  hint: string;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

interface Props<T extends Secret> {
  rows: T[] | undefined;
  /** One more column, for what only this sort of secret has. */
  extra?: { title: string; of: (row: T) => ReactNode };
  onRevoke: (row: T) => void;
}

/** Keys and tokens: never the secret, only how it begins and when it was last used. */
export function SecretTable<T extends Secret>({ rows, extra, onRevoke }: Props<T>) {
  const { t } = useTranslation();
  if (rows?.length === 0) return <p className="dim">{t('settings.no_secrets')}</p>;
  return (
    <section className="panel" aria-busy={!rows}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('settings.name')}</th>
            <th>{t('settings.hint')}</th>
            {extra && <th>{extra.title}</th>}
            <th>{t('settings.created')}</th>
            <th>{t('settings.used')}</th>
            <th>{t('settings.state')}</th>
            <th aria-label={t('settings.actions')} />
          </tr>
        </thead>
        <tbody>
          {!rows && <SkeletonRows rows={2} columns={extra ? 7 : 6} />}
          {rows?.map((row) => (
            <tr key={row.id} className={row.revoked_at ? 'off' : undefined}>
              <td>
                <strong>{row.name}</strong>
              </td>
              <td>
                <code>{`${row.hint}…`}</code>
              </td>
              {extra && <td>{extra.of(row)}</td>}
              <td>
                <When at={row.created_at} />
              </td>
              <td>
                {row.last_used_at ? <When at={row.last_used_at} /> : <span className="dim">{t('settings.never')}</span>}
              </td>
              <td>
                <span className="row">
                  {row.revoked_at ? (
                    <IconCircleDashed size={15} aria-hidden />
                  ) : (
                    <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
                  )}
                  {t(row.revoked_at ? 'settings.is_revoked' : 'settings.in_use')}
                </span>
              </td>
              <td>
                {!row.revoked_at && (
                  <div className="row-actions">
                    <Button variant="default" size="compact-xs" onClick={() => onRevoke(row)}>
                      {t('action.revoke')}
                    </Button>
                  </div>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
