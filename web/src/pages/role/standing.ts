import type { RoleRef } from '../../api/roles.ts';
import type { Label, LabelMove } from '../../api/types.ts';

/** The label that a call uses which names none. */
export const PRODUCTION = 'production';

export const inProduction = (labels: Label[]) => labels.find((each) => each.name === PRODUCTION);

/** The labels by which calls get a version, also as the canary of one. */
export const labelsOf = (version: number, labels: Label[]) =>
  labels.filter((each) => each.version === version || each.canary_version === version);

/** What a label stands for. */
export type Stand = Pick<Label, 'version' | 'canary_version' | 'canary_share' | 'protected'>;

export interface Canary {
  version: number;
  share: number;
}

export type Change =
  | { what: 'made'; version: number }
  | { what: 'version'; before: number; after: number }
  | { what: 'canary'; before?: Canary; after?: Canary }
  | { what: 'protected'; after: boolean }
  | { what: 'removed'; version: number };

const canary = ({ canary_version, canary_share }: Stand): Canary | undefined =>
  canary_version ? { version: canary_version, share: canary_share } : undefined;

/** What a move of a label changes, the most important first. */
export function labelChanges(from: Stand | null, to: Stand | null): Change[] {
  if (!to) return from ? [{ what: 'removed', version: from.version }] : [];
  const changes: Change[] = [];
  if (!from) changes.push({ what: 'made', version: to.version });
  else if (from.version !== to.version) changes.push({ what: 'version', before: from.version, after: to.version });
  const before = from ? canary(from) : undefined;
  const after = canary(to);
  if (before?.version !== after?.version || before?.share !== after?.share) {
    changes.push({ what: 'canary', before, after });
  }
  if ((from?.protected ?? false) !== to.protected) changes.push({ what: 'protected', after: to.protected });
  return changes;
}

interface InRole {
  tab?: 'try' | 'labels' | 'history';
  version?: number;
  against?: number;
}

/** The way to a role among those of its owner. */
export const roleLink = ({ owner, code }: RoleRef, search: InRole = {}) =>
  ({ to: '/roles/$role', params: { role: code }, search: { ...search, org: owner } }) as const;

/** The label that was moved. */
export const movedLabel = ({ from, to }: LabelMove) => (to ?? from)?.name ?? '';
