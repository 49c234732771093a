import { NumberInput, Select } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  BUDGET_MEASURES,
  BUDGET_PERIODS,
  BUDGET_SCOPES,
  type BudgetPeriodName,
  type BudgetScope,
  budgetSubjectsQuery,
  createBudget,
  updateBudget,
} from '../../api/budgets.ts';
import type { Budget } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import classes from './Budgets.module.css';
import { type Draft, edit, most, wrong } from './draft.ts';
import { amount, sentence, whom } from './words.ts';

interface Props {
  org: number;
  /** Of the organisation; absent for the installation. */
  name: string | undefined;
  /** Absent to add one. */
  budget?: Budget;
  onClose: () => void;
}

/** A budget in the words of what it will do. What it counts is chosen once: what was used stays counted. */
export function BudgetForm({ org, name, budget, onClose }: Props) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState<Draft>(
    budget
      ? { ...budget, soft: budget.soft_percent }
      : { scope: 'person', of: '', measure: 'tokens', period: 'day', limit: '', soft: 80 },
  );
  const [ofName, setOfName] = useState(budget?.name ?? '');
  const [tried, setTried] = useState(false);
  const set = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const save = useChange(() => (budget ? updateBudget(org, budget, edit(draft)) : createBudget(org, edit(draft))), {
    refresh: ['budgets'],
    done: t('budgets.saved'),
    onDone: onClose,
  });
  const bad = wrong(draft);
  const scopes = BUDGET_SCOPES.filter((scope) => !(org && scope === 'all'));
  // An organisation is one: its own budget is about itself.
  const choosable = draft.scope !== 'all' && !(org && draft.scope === 'org');
  const stays = budget && t('budgets.stays');
  return (
    <FormModal
      title={t(budget ? 'budgets.edit' : 'budgets.add')}
      size="lg"
      busy={save.isPending}
      onSubmit={() => {
        setTried(true);
        if (!bad.limit && !bad.soft) save.mutate(undefined);
      }}
      onClose={onClose}
    >
      <div className="pair">
        <Select
          label={t('budgets.scope')}
          description={stays}
          disabled={!!budget}
          allowDeselect={false}
          data={scopes.map((scope) => ({ value: scope, label: t(`budgets.scopes.${scope}`) }))}
          value={draft.scope}
          onChange={(scope) => scope && set({ scope, of: '' })}
        />
        {choosable && (
          <Subject
            key={draft.scope}
            org={org}
            scope={draft.scope as BudgetScope}
            of={draft.of}
            name={ofName}
            onChange={(of, found) => {
              set({ of });
              setOfName(found);
            }}
          />
        )}
      </div>
      <div className="pair">
        <Select
          label={t('budgets.measure')}
          description={stays}
          disabled={!!budget}
          allowDeselect={false}
          data={BUDGET_MEASURES.map((measure) => ({ value: measure, label: t(`budgets.measures.${measure}`) }))}
          value={draft.measure}
          onChange={(measure) => measure && set({ measure })}
        />
        <Select
          label={t('budgets.period')}
          description={stays}
          disabled={!!budget}
          allowDeselect={false}
          data={BUDGET_PERIODS.map((period) => ({ value: period, label: t(`budgets.periods.${period}`) }))}
          value={draft.period}
          onChange={(period) => period && set({ period })}
        />
      </div>
      <div className="pair">
        <NumberInput
          label={t('budgets.limit')}
          withAsterisk
          data-autofocus
          min={0}
          max={most(draft.measure)}
          thousandSeparator=","
          decimalScale={draft.measure === 'usd' ? 6 : 0}
          prefix={draft.measure === 'usd' ? '$' : undefined}
          error={tried && bad.limit && t('budgets.limit_wrong')}
          value={draft.limit}
          onChange={(limit) => set({ limit })}
        />
        <NumberInput
          label={t('budgets.soft')}
          description={t('budgets.soft_hint')}
          inputWrapperOrder={['label', 'input', 'description', 'error']}
          min={0}
          max={99}
          decimalScale={0}
          suffix=" %"
          error={tried && bad.soft && t('budgets.soft_wrong')}
          value={draft.soft}
          onChange={(soft) => set({ soft })}
        />
      </div>
      <Means org={org} name={name} ofName={ofName} draft={draft} />
    </FormModal>
  );
}

interface SubjectProps {
  org: number;
  scope: BudgetScope;
  of: string;
  name: string;
  onChange: (of: string, name: string) => void;
}

const EACH = '*';

/** Each of them, or one that is found by its name. */
function Subject({ org, scope, of, name, onChange }: SubjectProps) {
  const { t } = useTranslation();
  const each = t(`budgets.each.${scope}`);
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState(of ? name || of : each);
  const [q] = useDebouncedValue(typed === chosen ? '' : typed, 250);
  const { data: found = [], isError } = useQuery(budgetSubjectsQuery(org, scope, q));
  const options = found.map((one) => ({
    value: one.id,
    label: [one.name || one.id, one.in].filter(Boolean).join(' · '),
  }));
  if (of && !options.some((one) => one.value === of)) options.unshift({ value: of, label: chosen });
  return (
    <Select
      label={t('budgets.of')}
      searchable
      allowDeselect={false}
      maxDropdownHeight={260}
      error={isError && t('budgets.subjects_unknown')}
      nothingFoundMessage={t('budgets.nobody_found')}
      // The server has searched already: among all of them, not only those that are here.
      filter={({ options: all }) => all}
      data={[{ value: EACH, label: each }, ...options]}
      value={of || EACH}
      searchValue={typed}
      onSearchChange={setTyped}
      onChange={(next, option) => {
        setChosen(option?.label ?? each);
        const one = found.find(({ id }) => id === next);
        onChange(next && next !== EACH ? next : '', one?.name ?? '');
      }}
    />
  );
}

/** What the choice means, before it is made. */
function Means({ org, name, ofName, draft }: { org: number; name: string | undefined; ofName: string; draft: Draft }) {
  const { t } = useTranslation();
  const { scope, measure, period } = draft;
  const limit = Number(draft.limit);
  const soft = Number(draft.soft);
  if (!(limit > 0)) return null;
  const of = org && scope === 'org' ? String(org) : draft.of;
  const said = {
    owner: org,
    scope,
    of,
    name: of === String(org) && scope === 'org' ? (name ?? '') : ofName,
    measure,
    period,
    limit,
  };
  return (
    <ul className={classes.means} aria-live="polite">
      <li>
        <strong>{sentence(said, name, t)}</strong>
      </li>
      <li>
        {of || scope === 'all'
          ? t('budgets.means.one', { whom: whom(said, name, t) })
          : t(`budgets.means.${scope as 'person'}`)}
        {org > 0 && ` ${t('budgets.means.within')}`}
      </li>
      {soft > 0 && soft < 100 && (
        <li>{t('budgets.means.soft', { soft, amount: amount(measure, (limit * soft) / 100, t) })}</li>
      )}
      <li>{t(`budgets.means.hard.${period as BudgetPeriodName}`, { amount: amount(measure, limit, t) })}</li>
      {measure === 'usd' && <li>{t('budgets.means.usd')}</li>}
    </ul>
  );
}
