import { Button, Drawer, Skeleton } from '@mantine/core';
import { IconLock, IconPencil, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { budgetPeriodsQuery, budgetQuery, budgetUseQuery } from '../../api/budgets.ts';
import type { Budget } from '../../api/types.ts';
import { count, percent } from '../../format/number.ts';
import { absolute } from '../../format/time.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { Stale } from '../../parts/Stale.tsx';
import badges from '../../parts/State.module.css';
import { When } from '../../parts/When.tsx';
import classes from './Budgets.module.css';
import { Nearness, UseBar } from './UseBar.tsx';
import { amount, sentence, subjectName } from './words.ts';

interface Props {
  org: number;
  name: string | undefined;
  id: string;
  /** A moment of a past period; absent for the present one. */
  at: string | undefined;
  onAt: (at: string | undefined) => void;
  onEdit: (budget: Budget) => void;
  onDelete: (budget: Budget) => void;
  onClose: () => void;
}

/** One budget: what it does, who has used how much of it, now and in past periods. */
export function BudgetDetail({ org, name, id, at, onAt, onEdit, onDelete, onClose }: Props) {
  const { t } = useTranslation();
  const query = useQuery(budgetQuery(org, id, usePausedAt()));
  const { data: budget, error, refetch } = query;
  return (
    <Drawer
      opened
      position="right"
      size="lg"
      onClose={onClose}
      title={<strong>{budget ? sentence(budget, name, t) : t('budgets.one_budget')}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {error && !budget ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !budget ? (
        <Skeleton height={240} aria-busy />
      ) : (
        <div className={classes.detail}>
          <Stale query={query} />
          <dl className={classes.facts}>
            {budget.soft_percent > 0 && (
              <>
                <dt>{t('budgets.soft_at')}</dt>
                <dd>
                  {amount(budget.measure, (budget.limit * budget.soft_percent) / 100, t)}{' '}
                  <span className="dim">{percent(budget.soft_percent / 100)}</span>
                </dd>
              </>
            )}
            <dt>{t('budgets.hard_at')}</dt>
            <dd>{amount(budget.measure, budget.limit, t)}</dd>
            <dt>{t('budgets.ends')}</dt>
            <dd>
              <When at={budget.to} /> <span className="dim">{absolute(budget.to)}</span>
            </dd>
            <dt>{t('budgets.changed')}</dt>
            <dd>
              <When at={budget.updated_at} /> <span className="dim">{budget.updated_by}</span>
            </dd>
          </dl>
          {budget.owner === org ? (
            <div className="row">
              <Button variant="default" leftSection={<IconPencil size={15} />} onClick={() => onEdit(budget)}>
                {t('action.edit')}
              </Button>
              <Button
                variant="default"
                color="red"
                leftSection={<IconTrash size={15} />}
                onClick={() => onDelete(budget)}
              >
                {t('action.delete')}
              </Button>
            </div>
          ) : (
            <ReadOnly />
          )}
          {budget.hidden ? (
            <p className="soft">{t('budgets.hidden')}</p>
          ) : (
            <>
              <Uses org={org} budget={budget} at={at} />
              <Periods org={org} budget={budget} at={at} onAt={onAt} />
            </>
          )}
        </div>
      )}
    </Drawer>
  );
}

/** A budget of the installation, where an organisation looks at it. */
export function ReadOnly() {
  const { t } = useTranslation();
  return (
    <span className={badges.badge} data-tone="info">
      <IconLock size={14} aria-hidden />
      {t('budgets.read_only')}
    </span>
  );
}

function Uses({ org, budget, at }: { org: number; budget: Budget; at: string | undefined }) {
  const { t } = useTranslation();
  const [q, setQ] = useState('');
  const { data, error, refetch } = useQuery(budgetUseQuery(org, budget.id, at, usePausedAt()));
  const shown = data?.items.filter((use) => holds(q, subjectName(budget.scope, use, t), use.subject));
  return (
    <section aria-labelledby="budget-uses">
      <div className={classes.detailHead}>
        <h3 id="budget-uses">{at ? t('budgets.uses_then', { time: absolute(at) }) : t('budgets.uses_now')}</h3>
        {(data?.items.length ?? 0) > 1 && <Filter label={t('budgets.find')} value={q} width={180} onChange={setQ} />}
      </div>
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : !shown ? (
        <Skeleton height={90} mt={8} aria-busy />
      ) : data?.items.length === 0 ? (
        <p className="soft">{t('budgets.unused')}</p>
      ) : shown.length === 0 ? (
        <p className="soft">{t('budgets.nobody_found')}</p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th>{t('budgets.who')}</th>
              <th>{t('budgets.used')}</th>
              <th>{t('budgets.state_head')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((use) => {
              const share = use.used / budget.limit;
              return (
                <tr key={use.subject}>
                  <td>{subjectName(budget.scope, use, t)}</td>
                  <td>
                    <div className={classes.use}>
                      <UseBar share={share} softPercent={budget.soft_percent} />
                      <div className={classes.used}>
                        <span>{amount(budget.measure, use.used, t)}</span>
                        <span>{percent(share)}</span>
                      </div>
                    </div>
                  </td>
                  <td>
                    <Nearness share={share} softPercent={budget.soft_percent} />
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
      {data && data.total > data.items.length && (
        <p className="dim">{t('list.shown', { shown: count(data.items.length), total: count(data.total) })}</p>
      )}
    </section>
  );
}

interface PeriodsProps {
  org: number;
  budget: Budget;
  at: string | undefined;
  onAt: Props['onAt'];
}

/** The periods that the store still has; one is chosen to see who used what in it. */
function Periods({ org, budget, at, onAt }: PeriodsProps) {
  const { t } = useTranslation();
  const { data, error, refetch } = useQuery(budgetPeriodsQuery(org, budget.id));
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton height={90} aria-busy />;
  if (data.length === 0) return null;
  return (
    <section aria-labelledby="budget-periods">
      <div className={classes.detailHead}>
        <h3 id="budget-periods">{t('budgets.history')}</h3>
      </div>
      <p className="soft">{t('budgets.history_hint')}</p>
      <div className="scroll-x">
        <table className="table">
          <thead>
            <tr>
              <th>{t('budgets.from')}</th>
              <th className="num">{t('budgets.subjects')}</th>
              <th className="num">{t('budgets.came_near')}</th>
              <th className="num">{t('budgets.most')}</th>
              <th className="num">{t('budgets.together')}</th>
            </tr>
          </thead>
          <tbody>
            {data.map((period) => {
              const present = period.from === budget.from;
              return (
                <tr key={period.from}>
                  <td>
                    <button
                      type="button"
                      className={classes.period}
                      aria-pressed={present ? !at : at === period.from}
                      onClick={() => onAt(present ? undefined : period.from)}
                    >
                      {present ? t('budgets.present') : absolute(period.from)}
                    </button>
                  </td>
                  <td className="num">{count(period.subjects)}</td>
                  <td className="num">{count(period.near)}</td>
                  <td className="num">{amount(budget.measure, period.most, t)}</td>
                  <td className="num">{amount(budget.measure, period.used, t)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </section>
  );
}
