import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { rolesQuery } from '../../api/roles.ts';
import { duration } from '../../format/duration.ts';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import classes from './Budgets.module.css';

/** How often one caller may ask each role: set at the role, and told here beside the other limits. */
export function RoleLimits({ org }: { org: number }) {
  const { t, i18n } = useTranslation();
  const { data: roles, error, isPending, refetch } = useQuery(rolesQuery(org));
  return (
    <section className={`panel ${classes.section}`} aria-labelledby="role-limits" aria-busy={isPending}>
      <div className={classes.sectionHead}>
        <h2 id="role-limits">{t('budgets.roles')}</h2>
        <p className="soft">{t('budgets.roles_hint')}</p>
      </div>
      {error && !roles ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : (
        <div className="scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th>{t('budgets.role')}</th>
                <th>{t('budgets.interval')}</th>
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {isPending && <SkeletonRows rows={3} columns={2} />}
              {roles?.map((role) => (
                <tr key={`${role.owner}/${role.code}`} className="link">
                  <td>
                    <Link className="row-link" to="/roles/$role" params={{ role: role.code }} search={{ org }}>
                      {role.name || <code>{role.code}</code>}
                    </Link>
                    {role.name && (
                      <div className={classes.second}>
                        <code>{role.code}</code>
                      </div>
                    )}
                  </td>
                  <td>
                    {role.rate_limit_interval_ms ? (
                      t('budgets.once_in', { time: duration(role.rate_limit_interval_ms * 1e6, i18n.language) })
                    ) : (
                      <span className="dim">{t('budgets.no_interval')}</span>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
