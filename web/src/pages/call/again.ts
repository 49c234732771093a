import type { Parameters, ReplayRequest, Role } from '../../api/types.ts';

/** What one may change of a call that is asked again. */
export interface Again {
  version: number;
  /** An entry of the version's chain, OTHER, or '': the whole chain. */
  model: string;
  /** Of another model than those of the chain. */
  provider: string;
  name: string;
  parameters: Parameters;
  variables: Record<string, string>;
  originals: boolean;
}

/** Stands for a model that is not in the chain. */
export const OTHER = '*';

/** The models of a version's chain, each once, as they are chosen by. */
export const entriesOf = (role?: Role): string[] => [
  ...new Set((role?.chain ?? []).map((entry) => `${entry.provider}/${entry.model}`)),
];

/** What is sent: only what differs from the version, so that its own settings hold. */
export function requestOf(again: Again, names: readonly string[]): ReplayRequest {
  const slash = again.model.indexOf('/');
  const [provider, model] =
    again.model === OTHER
      ? [again.provider, again.name.trim()]
      : [again.model.slice(0, Math.max(slash, 0)), again.model.slice(slash + 1)];
  const set = Object.fromEntries(Object.entries(again.parameters).filter(([, value]) => value !== undefined));
  return {
    version: again.version,
    ...(provider && model && { provider, model }),
    ...(Object.keys(set).length > 0 && { parameters: set }),
    ...(names.length > 0 && {
      variables: Object.fromEntries(names.map((name) => [name, again.variables[name] ?? ''])),
    }),
    ...(again.originals && { originals: true }),
  };
}
