import type { Fact, FactValue } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { count, ratio } from '../../format/number.ts';

export const factValue = (fact: Fact, name: string): string => fact.values?.find((v) => v.name === name)?.value ?? '';
export const factValues = (fact: Fact, name: string): string[] =>
  (fact.values ?? []).filter((v) => v.name === name).map((v) => v.value);

/** What a fact is about, in one line made of its own values. */
export function factTitle(fact: Fact): string {
  const value = (name: string) => factValue(fact, name);
  const titles: Record<string, () => string> = {
    alarm: () => value('rule'),
    transaction: () => value('endpoint'),
    step: () => value('name'),
    statement: () => [value('operation'), factValues(fact, 'table').join(', ')].filter(Boolean).join(' '),
    call: () =>
      [
        value('method') || [value('system'), value('operation')].filter(Boolean).join(' '),
        value('url') ||
          value('rpc') ||
          factValues(fact, 'table').join(', ') ||
          value('destination') ||
          value('address'),
      ]
        .filter(Boolean)
        .join(' '),
    cause: () => [value('service'), value('operation')].filter(Boolean).join(' · '),
    difference: () => [value('attribute'), differing(fact)].filter(Boolean).join(' = '),
    log: () => value('message'),
    change: () => `${value('service')} ${value('version_before')} → ${value('version')}`,
    past: () => value('title'),
    exception: () => [value('type'), value('message')].filter(Boolean).join(': '),
  };
  return titles[fact.kind]?.() || fact.text;
}

/** The value of an attribute: those that name a service or an instance are called so. */
const differing = (fact: Fact): string => {
  const name = factValue(fact, 'attribute');
  return factValue(fact, 'of_attribute') || (name === 'instance' ? factValue(fact, name) : '');
};

/** The number that matters most about a fact, with its unit. */
export function factFigure(fact: Fact): string {
  if (fact.kind === 'alarm') return figure(fact, 'count') && `${factValue(fact, 'count')}×`;
  if (fact.kind === 'log') return figure(fact, 'now') && `${figure(fact, 'now')}×`;
  if (fact.kind === 'difference') return figure(fact, 'share');
  if (fact.kind === 'past') return figure(fact, 'lasted');
  if (fact.kind === 'comparison') return figure(fact, 'ratio');
  return figure(fact, 'total') || figure(fact, 'elapsed');
}

function figure(fact: Fact, name: string): string {
  const found = fact.values?.find((v) => v.name === name);
  return found ? withUnit(found) : '';
}

/** A value as a reader writes it: "8,003 ms", "1,840", "70.5 %", "27.5×". */
export function withUnit({ value, unit }: FactValue): string {
  const n = Number(value);
  if (value === '' || Number.isNaN(n)) return value;
  switch (unit) {
    case 'ms':
      // As exact as the report writes it, so that the eye finds the number again.
      return `${n.toLocaleString('en-US')} ms`;
    case 's':
      return durationMs(n * 1000);
    case 'min':
      return `${value} min`;
    case 'percent':
      return `${value} %`;
    case 'ratio':
      return ratio(n);
    case 'count':
    case 'rows':
      return count(n);
    case undefined:
    case '':
      return value;
    default:
      return `${value} ${unit}`;
  }
}
