import type { BudgetEdit } from '../../api/types.ts';

/** A budget as it is typed. */
export interface Draft {
  scope: string;
  /** Empty for each of them. */
  of: string;
  measure: string;
  period: string;
  limit: number | string;
  /** Percent of the limit; empty or 0 tells nobody. */
  soft: number | string;
}

/** The most that can be allowed in each measure, as the server has it. */
export const most = (measure: string) => (measure === 'usd' ? 1e7 : 1e12);

/** What is wrong with a draft, by its fields. */
export function wrong({ measure, limit, soft }: Draft) {
  const n = Number(limit);
  const percent = Number(soft);
  return {
    limit: limit === '' || !(n > 0 && n <= most(measure)) || (measure !== 'usd' && !Number.isInteger(n)),
    soft: !Number.isInteger(percent) || percent < 0 || percent > 99,
  };
}

/** The draft as the API takes it. */
export const edit = ({ scope, of, measure, period, limit, soft }: Draft): BudgetEdit => ({
  scope: scope as BudgetEdit['scope'],
  measure: measure as BudgetEdit['measure'],
  period: period as BudgetEdit['period'],
  limit: Number(limit),
  ...(of && { of }),
  ...(Number(soft) > 0 && { soft_percent: Number(soft) }),
});
