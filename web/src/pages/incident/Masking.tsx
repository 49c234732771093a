import { useTranslation } from 'react-i18next';
import type { Incident } from '../../api/types.ts';
import { Mono } from '../../parts/Mono.tsx';
import classes from './Incident.module.css';

/** What the model did not get to see, and what it saw instead. */
export function Masking({ masking }: { masking: Incident['masking'] }) {
  const { t } = useTranslation();
  const tokens = masking?.tokens ?? [];
  if (tokens.length === 0 && !masking?.counts?.length) return <p className={classes.note}>{t('masking.none')}</p>;
  return (
    <>
      <p className={classes.note}>{t('masking.means')}</p>
      <ul className={classes.counts}>
        {(masking?.counts ?? []).map((c) => (
          <li key={c.class}>
            {t(`masking.class.${c.class as 'host'}`, c.class)} <strong>{c.count}</strong>
          </li>
        ))}
      </ul>
      <table className="table">
        <thead>
          <tr>
            <th>{t('masking.column.class')}</th>
            <th>{t('masking.column.token')}</th>
            <th>{t('masking.column.value')}</th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((row) => (
            <tr key={`${row.class} ${row.token}`}>
              <td className="nowrap soft">{t(`masking.class.${row.class as 'host'}`, row.class)}</td>
              <td>
                <code className="soft">{row.token}</code>
              </td>
              <td>
                <Mono text={row.value} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
