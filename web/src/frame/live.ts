import { useSyncExternalStore } from 'react';

// One switch for every screen: whether what is shown renews itself.
const listeners = new Set<() => void>();
let pausedAt: number | undefined;

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Lets the screens stand still, or go on. */
export function setPaused(paused: boolean) {
  pausedAt = paused ? Date.now() : undefined;
  for (const each of listeners) each();
}

/** When the reader paused, in ms; undefined while the screens are live. */
export const usePausedAt = () => useSyncExternalStore(subscribe, () => pausedAt);
