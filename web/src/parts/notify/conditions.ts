import type { Route } from '../../api/types.ts';

/** What a message must fit; what is empty fits everything. */
export type Conditions = Pick<Route, 'severities' | 'services' | 'environments' | 'owners' | 'labels' | 'hours'>;

/** Labels as people write them: name=value. */
export const pairsOf = (labels: Conditions['labels']) =>
  Object.entries(labels ?? {}).map(([name, value]) => `${name}=${value}`);

/** The labels of what people wrote; what is no name=value is left out. */
export const labelsOf = (pairs: string[]) =>
  Object.fromEntries(
    pairs
      .filter((one) => one.indexOf('=') > 0)
      .map((one) => [one.slice(0, one.indexOf('=')), one.slice(one.indexOf('=') + 1)]),
  );

/** Without conditions that are empty: they would say nothing. */
export const slim = <T extends Conditions>(rule: T): T => {
  const { severities, services, environments, owners, labels, hours, ...rest } = rule;
  const conditions = Object.entries({ severities, services, environments, owners, labels });
  return {
    ...rest,
    ...(hours && { hours }),
    ...Object.fromEntries(conditions.filter(([, value]) => value && Object.keys(value).length > 0)),
  } as T;
};
