import type { TFunction } from 'i18next';
import type { BudgetMeasure, BudgetPeriodName, BudgetScope } from '../../api/budgets.ts';
import type { Budget } from '../../api/types.ts';
import { dollars } from '../../format/number.ts';

/** What of a budget its sentence is made of. */
export type Said = Pick<Budget, 'owner' | 'scope' | 'of' | 'measure' | 'period' | 'limit'> & { name: string };

/** An amount with its unit: 1,000 requests, 100,000 tokens, $12.50. Never rounded: it is what is enforced. */
export function amount(measure: string, n: number, t: TFunction): string {
  if (measure === 'usd') return n >= 1 || n === 0 ? `$${n.toLocaleString('en-US', CENTS)}` : (dollars(n) ?? '');
  return t(`budgets.amount.${measure as 'requests'}`, { n: Math.round(n).toLocaleString('en-US') });
}

const CENTS = { minimumFractionDigits: 2, maximumFractionDigits: 2 };

/** Whom a budget is about: "each person of organisation Shop". */
export function whom({ owner, scope, of, name }: Said, org: string | undefined, t: TFunction): string {
  const one = of && scope !== 'role' && scope !== 'purpose' ? name || t('budgets.number', { id: of }) : of;
  const who = of ? t(`budgets.one.${scope as BudgetScope}`, { name: one }) : t(`budgets.each.${scope as BudgetScope}`);
  return owner && scope !== 'org'
    ? t('budgets.within', { whom: who, org: org ?? t('budgets.number', { id: owner }) })
    : who;
}

/** A budget in a sentence: "each person of organisation Shop: 100,000 tokens a day". */
export const sentence = (said: Said, org: string | undefined, t: TFunction): string =>
  t('budgets.sentence', { whom: whom(said, org, t), amount: per(said, t) });

/** "100,000 tokens a day" */
export const per = ({ measure, period, limit }: Pick<Said, 'measure' | 'period' | 'limit'>, t: TFunction): string =>
  t(`budgets.per.${period as BudgetPeriodName}`, { amount: amount(measure as BudgetMeasure, limit, t) });

/** Who has used something: the name, or what stands for it. */
export function subjectName(scope: string, use: { subject: string; name: string }, t: TFunction): string {
  if (scope === 'all') return t('budgets.each.all');
  if (scope === 'role' || scope === 'purpose') return use.name || use.subject;
  return use.name || t('budgets.gone', { id: use.subject });
}

/** How near to the limit: far, near (told, or from 80 percent on), over. */
export function nearness(share: number, softPercent: number): 'far' | 'near' | 'over' {
  if (share >= 1) return 'over';
  return share >= Math.min(80, softPercent || 80) / 100 ? 'near' : 'far';
}
