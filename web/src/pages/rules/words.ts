import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { alarmKindsQuery } from '../../api/rules.ts';
import type { AlarmKind, AlarmParam, Rule, View } from '../../api/types.ts';
import { viewsQuery } from '../../api/views.ts';

/** Of a rule, what its sentence is made of. */
export type Sentence = Pick<Rule, 'kind' | 'params' | 'count' | 'window_minutes'>;

/** A number in full, with its unit: "8,000 ms", "12.5%". */
export function measured(value: number, unit = ''): string {
  const text = value.toLocaleString('en-US', { maximumFractionDigits: 6 });
  return unit === '' || unit === '%' ? text + unit : `${text} ${unit}`;
}

/** The names that a text of the catalogue has a place for. */
export const placesOf = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1] ?? '');

/**
 * How kinds of alarms, their parameters and the rules made of them are called. A kind that the catalogues have no
 * words for shows the names the server gives.
 */
export function useRuleWords(project: number) {
  const { t, i18n } = useTranslation();
  const { data: kinds } = useQuery(alarmKindsQuery(project));
  const asksViews = kinds?.some((k) => k.params.some((p) => p.type === 'view')) ?? false;
  const transactions = useQuery({ ...viewsQuery(project, 'transactions'), enabled: asksViews });
  const logs = useQuery({ ...viewsQuery(project, 'logs'), enabled: asksViews });
  const views: View[] = [...(transactions.data ?? []), ...(logs.data ?? [])];
  const kindOf = (name: string): AlarmKind | undefined => kinds?.find((k) => k.name === name);
  const optional = (key: string, text: string) => (i18n.exists(key) ? text : '');

  const unit = (name: string | undefined) => (name ? t(`rules.unit.${name as 'min'}`, name) : '');
  const choice = (param: string, name: string) => t(`rules.choice.${`${param}_${name}` as 'op_any'}`, name);
  const title = (kind: string) => t(`rules.kind.${kind as 'slow_sql'}.title`, kind);
  const hint = (kind: string) => optional(`rules.kind.${kind}.hint`, t(`rules.kind.${kind as 'slow_sql'}.hint`));
  const param = (name: string) => t(`rules.param.${name as 'threshold_ms'}.label`, name);
  const paramHint = (name: string) => optional(`rules.param.${name}.hint`, t(`rules.param.${name as 'calm_ms'}.hint`));
  const value = (p: AlarmParam | undefined, given: unknown): string => {
    if (given === undefined || given === null || given === '') return '';
    if (p?.type === 'view') return views.find((v) => v.id === given)?.name ?? `#${String(given)}`;
    if (typeof given === 'number') return measured(given, unit(p?.unit));
    return p?.type === 'choice' ? choice(p.name, String(given)) : String(given);
  };
  /** What it counts: "SQL response time ≥ 8,000 ms". What the sentence has no place for stands behind it. */
  const condition = (rule: Pick<Sentence, 'kind' | 'params'>): string => {
    const params = kindOf(rule.kind)?.params ?? [];
    const said = Object.entries(rule.params).filter(([, v]) => v !== undefined && v !== '');
    const words = Object.fromEntries(params.map((p) => [p.name, value(p, rule.params[p.name])]));
    const key = `rules.kind.${rule.kind}.condition`;
    const text: unknown = i18n.getResource(i18n.resolvedLanguage ?? i18n.language, 'translation', key);
    const places = typeof text === 'string' ? placesOf(text) : [];
    const sentence =
      typeof text === 'string'
        ? t(`rules.kind.${rule.kind as 'slow_sql'}.condition`, { threshold_ms: '', ...words })
        : title(rule.kind);
    const rest = said.filter(([name]) => {
      const p = params.find((each) => each.name === name);
      return !places.includes(name) && (p === undefined || p.optional === true || typeof text !== 'string');
    });
    const about = rest.map(
      ([name, v]) =>
        `${param(name)} ${value(
          params.find((p) => p.name === name),
          v,
        )}`,
    );
    return [sentence.trim(), ...about].join(' · ');
  };
  /** How often in which time. */
  const often = (rule: Sentence): string => {
    const numbers = { count: rule.count.toLocaleString('en-US'), window: rule.window_minutes.toLocaleString('en-US') };
    return kindOf(rule.kind)?.minutes ? t('rules.minutes_of', numbers) : t('rules.times_within', numbers);
  };
  const sentence = (rule: Sentence) => `${condition(rule)}, ${often(rule)}`;
  return { kinds, kindOf, views, title, hint, param, paramHint, unit, choice, value, condition, often, sentence };
}

export type RuleWords = ReturnType<typeof useRuleWords>;
