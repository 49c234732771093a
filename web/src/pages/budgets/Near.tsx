import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { nearQuery } from '../../api/budgets.ts';
import { count, percent } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { When } from '../../parts/When.tsx';
import classes from './Budgets.module.css';
import { Nearness, UseBar } from './UseBar.tsx';
import { amount, sentence, subjectName } from './words.ts';

/** Who is near a limit or over it, the nearest first. */
export function Near({ org, name }: { org: number; name: string | undefined }) {
  const { t } = useTranslation();
  const query = useQuery(nearQuery(org, usePausedAt()));
  const { data, error, isPending, refetch } = query;
  return (
    <section className={`panel ${classes.section}`} aria-labelledby="near-limits" aria-busy={isPending}>
      <div className={classes.sectionHead}>
        <h2 id="near-limits">{t('budgets.near')}</h2>
        <p className="soft">{t('budgets.near_hint')}</p>
      </div>
      <Stale query={query} />
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : data?.items.length === 0 ? (
        <p className={classes.quiet}>
          <IconCircleCheck size={16} aria-hidden />
          {t('budgets.near_none')}
        </p>
      ) : (
        <div className="scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th>{t('budgets.who')}</th>
                <th>{t('budgets.state_head')}</th>
                <th>{t('budgets.used')}</th>
                <th>{t('budgets.limit')}</th>
                <th>{t('budgets.ends')}</th>
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {isPending && <SkeletonRows rows={2} columns={5} />}
              {data?.items.map(({ budget, use, share }) => (
                <tr key={`${budget.id}/${use.subject}`} className="link">
                  <td className={classes.who}>
                    <Link
                      className="row-link"
                      from="/budgets"
                      to="/budgets"
                      search={(old) => ({ ...old, budget: budget.id, at: undefined })}
                    >
                      {subjectName(budget.scope, use, t)}
                    </Link>
                  </td>
                  <td>
                    <Nearness share={share} softPercent={budget.soft_percent} />
                  </td>
                  <td>
                    <div className={classes.use}>
                      <UseBar share={share} softPercent={budget.soft_percent} />
                      <div className={classes.used}>
                        <span>{amount(budget.measure, use.used, t)}</span>
                        <span>{percent(share)}</span>
                      </div>
                    </div>
                  </td>
                  <td className={classes.what}>{sentence(budget, name, t)}</td>
                  <td>
                    <When at={use.to} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {data && data.total > data.items.length && (
        <div className="foot">
          <span>{t('list.shown', { shown: count(data.items.length), total: count(data.total) })}</span>
        </div>
      )}
    </section>
  );
}
