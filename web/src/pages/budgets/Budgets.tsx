import { Button } from '@mantine/core';
import { IconGauge, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { budgetsQuery, deleteBudget } from '../../api/budgets.ts';
import { Problem } from '../../api/problem.ts';
import { meQuery } from '../../api/session.ts';
import type { Budget } from '../../api/types.ts';
import { count, percent } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { OwnerSelect, ownersOf } from '../../parts/OwnerSelect.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { BudgetDetail, ReadOnly } from './BudgetDetail.tsx';
import { BudgetForm } from './BudgetForm.tsx';
import classes from './Budgets.module.css';
import { Near } from './Near.tsx';
import { RoleLimits } from './RoleLimits.tsx';
import { Nearness, UseBar } from './UseBar.tsx';
import { amount, sentence, subjectName } from './words.ts';

const ROUTE = '/home/budgets';

/** Every limit on what may be used of models, whose it is, and who is near it. */
export function Budgets() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { data: me } = useQuery(meQuery);
  const { org } = useSearch({ from: ROUTE });
  useTitle(t('nav.budgets'));
  const owners = me ? ownersOf(me) : [];
  const admins = owners.filter(({ role }) => role === 'admin' || role === 'owner');
  const owner = org === undefined ? (admins[0] ?? owners[0]) : owners.find((each) => each.org === org);
  const may = admins.some((each) => each.org === owner?.org);
  const select = owner && (
    <OwnerSelect
      org={owner.org}
      onChange={(next) => void navigate({ to: '.', search: (old) => ({ range: old.range, org: next }) })}
    />
  );
  if (owner && may) {
    const name = me?.orgs.find((each) => each.id === owner.org)?.name;
    return <Known key={owner.org} org={owner.org} name={name} select={select} />;
  }
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.budgets')}</h1>
        {select}
      </div>
      {me && (
        <section className="panel">
          <Failure error={new Problem(403)} />
        </section>
      )}
    </div>
  );
}

interface KnownProps {
  org: number;
  /** Of the organisation; absent for the installation. */
  name: string | undefined;
  select: React.ReactNode;
}

function Known({ org, name, select }: KnownProps) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q = '', budget: shownID, at } = useSearch({ from: ROUTE });
  const [editing, setEditing] = useState<Budget | 'new'>();
  const [deleting, setDeleting] = useState<Budget>();
  const query = useQuery(budgetsQuery(org, usePausedAt()));
  const { data: budgets, error, isPending, refetch } = query;
  const set = (next: Record<string, string | undefined>, replace = false) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace });
  const removal = useChange((b: Budget) => deleteBudget(org, b.id), {
    refresh: ['budgets'],
    done: t('budgets.deleted'),
    onDone: () => setDeleting(undefined),
  });
  const shown = budgets?.filter((b) => holds(q, sentence(b, name, t), b.of, b.top?.name ?? ''));
  const add = (
    <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
      {t('budgets.add')}
    </Button>
  );
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.budgets')}</h1>
        {select}
        {budgets?.length !== 0 && (
          <>
            <Filter label={t('budgets.filter')} value={q} onChange={(next) => set({ q: next || undefined }, true)} />
            {add}
          </>
        )}
      </div>
      <p className="lead">{t(org ? 'budgets.lead_org' : 'budgets.lead')}</p>
      {budgets?.length !== 0 && <Near org={org} name={name} />}
      <section className={`panel ${classes.section}`} aria-labelledby="budgets" aria-busy={isPending}>
        <div className={classes.sectionHead}>
          <h2 id="budgets">{t('budgets.all')}</h2>
        </div>
        <Stale query={query} />
        {error && !budgets ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : budgets?.length === 0 ? (
          <Empty icon={IconGauge} title={t('budgets.none')}>
            <p>{t('budgets.none_hint')}</p>
            {add}
          </Empty>
        ) : shown?.length === 0 ? (
          <Empty icon={IconGauge} title={t('budgets.no_match', { q })}>
            <p>{t('budgets.no_match_hint')}</p>
          </Empty>
        ) : (
          <div className="scroll-x">
            <table className="table">
              <thead>
                <tr>
                  <th>{t('budgets.budget')}</th>
                  <th>{t('budgets.use_now')}</th>
                  <th>{t('budgets.state_head')}</th>
                  <th>{t('budgets.ends')}</th>
                  <th aria-label={t('prices.actions')} />
                </tr>
              </thead>
              <tbody onKeyDown={rowKeys}>
                {isPending && <SkeletonRows rows={4} columns={5} />}
                {shown?.map((b) => (
                  <Row key={b.id} budget={b} org={org} name={name} onEdit={setEditing} onDelete={setDeleting} />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <RoleLimits org={org} />
      {shownID && (
        <BudgetDetail
          org={org}
          name={name}
          id={shownID}
          at={at}
          onAt={(next) => set({ at: next }, true)}
          onEdit={setEditing}
          onDelete={setDeleting}
          onClose={() => set({ budget: undefined, at: undefined })}
        />
      )}
      {editing && (
        <BudgetForm
          org={org}
          name={name}
          budget={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('budgets.delete_title')}
        verb={t('action.delete')}
        danger
        busy={removal.isPending}
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (!deleting) return;
          removal.mutate(deleting);
          set({ budget: undefined, at: undefined }, true);
        }}
      >
        <p>
          <strong>{deleting && sentence(deleting, name, t)}</strong>
        </p>
        <p>{t('budgets.delete_means')}</p>
      </Confirm>
    </div>
  );
}

interface RowProps {
  budget: Budget;
  org: number;
  name: string | undefined;
  onEdit: (budget: Budget) => void;
  onDelete: (budget: Budget) => void;
}

function Row({ budget, org, name, onEdit, onDelete }: RowProps) {
  const { t } = useTranslation();
  const said = sentence(budget, name, t);
  const { top } = budget;
  const share = (top?.used ?? 0) / budget.limit;
  return (
    <tr className="link">
      <td className={classes.what}>
        <Link
          className="row-link"
          from="/budgets"
          to="/budgets"
          search={(old) => ({ ...old, budget: budget.id, at: undefined })}
        >
          {said}
        </Link>
        {budget.owner !== org && (
          <div>
            <ReadOnly />
          </div>
        )}
      </td>
      <td>
        {budget.hidden ? (
          <span className="dim">{t('budgets.hidden_short')}</span>
        ) : (
          <div className={classes.use}>
            <UseBar share={share} softPercent={budget.soft_percent} />
            <div className={classes.used}>
              <span>
                {top
                  ? budget.subjects > 1
                    ? t('budgets.top_of', {
                        name: subjectName(budget.scope, top, t),
                        used: amount(budget.measure, top.used, t),
                        n: count(budget.subjects),
                      })
                    : budget.of || budget.scope === 'all'
                      ? amount(budget.measure, top.used, t)
                      : t('budgets.top', {
                          name: subjectName(budget.scope, top, t),
                          used: amount(budget.measure, top.used, t),
                        })
                  : t('budgets.unused')}
              </span>
              <span>{percent(share)}</span>
            </div>
          </div>
        )}
      </td>
      <td>
        {budget.hidden ? (
          <span className="dim">{'–'}</span>
        ) : (
          <Nearness share={share} softPercent={budget.soft_percent} />
        )}
        {budget.near > 1 && <div className={classes.second}>{t('budgets.near_count', { n: count(budget.near) })}</div>}
      </td>
      <td>
        <When at={budget.to} />
      </td>
      <td>
        {budget.owner === org && (
          <div className={`row-actions ${classes.above}`}>
            <RowAction icon={IconPencil} label={t('action.edit')} of={said} onClick={() => onEdit(budget)} />
            <RowAction icon={IconTrash} label={t('action.delete')} of={said} onClick={() => onDelete(budget)} />
          </div>
        )}
      </td>
    </tr>
  );
}
