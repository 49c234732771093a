import type { Circuit, KeyHealth, ModelService } from '../../api/types.ts';

/** The alias of the key of a provider that is asked without one. */
export const KEYLESS = 'default';

/** What is known of one key: what it is, and how calls with it go. */
export interface KeyRow {
  alias: string;
  lastFour: string;
  enabled: boolean;
  /** There is no key: the provider is asked without one. */
  keyless: boolean;
  /** Absent when it was not used for a week. */
  health?: KeyHealth;
  circuit: Standing;
}

/** The circuits of all models that were asked with a key, as one. */
export interface Standing {
  /** none: no model was asked on this node. */
  state: 'none' | 'closed' | 'half_open' | 'open';
  /** The models that are in this state, unless it is closed. */
  models: string[];
}

const WORST = ['open', 'half_open', 'closed'] as const;

/** The worst state there is among the circuits, and of which models. */
export function standing(circuits: Circuit[]): Standing {
  for (const state of WORST) {
    const of = circuits.filter((each) => (each.manual ? 'open' : each.state) === state);
    if (of.length > 0) return { state, models: state === 'closed' ? [] : of.map((each) => each.model).sort() };
  }
  return { state: 'none', models: [] };
}

/**
 * The keys of a provider with their health. One with an address and no key is asked without, which has a health too;
 * what is known by the name of a provider that the configuration file shadows is of the other.
 */
export function keyRows(provider: ModelService, health: KeyHealth[], circuits: Circuit[]): KeyRow[] {
  const { name, base_url, shadowed } = provider;
  const known = (alias: string) => ({
    health: shadowed ? undefined : health.find((each) => each.provider === name && each.key === alias),
    circuit: standing(shadowed ? [] : circuits.filter((each) => each.provider === name && each.key === alias)),
  });
  if (provider.keys.length === 0 && base_url) {
    return [{ alias: KEYLESS, lastFour: '', enabled: true, keyless: true, ...known(KEYLESS) }];
  }
  return provider.keys.map(({ alias, last_four, enabled }) => ({
    alias,
    lastFour: last_four,
    enabled,
    keyless: false,
    ...known(alias),
  }));
}
