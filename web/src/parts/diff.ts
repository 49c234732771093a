import { diffLines } from 'diff';
import { isObject } from './json.ts';

export type Line = { change: 'added' | 'removed' | 'same'; text: string } | { change: 'gap'; lines: number };

/** Unchanged lines kept on each side of a change. */
const CONTEXT = 3;

/** The lines of a change, the unchanged ones far from any left out. Nothing changed: no lines. */
export function changes(before: string, after: string): Line[] {
  // Each line with its end: else the last one differs as soon as another follows it.
  const ended = (text: string) => (text === '' ? '' : `${text}\n`);
  const parts = diffLines(ended(before), ended(after));
  if (!parts.some((part) => part.added || part.removed)) return [];
  return parts.flatMap((part, at): Line[] => {
    const texts = part.value.replace(/\n$/, '').split('\n');
    if (part.added || part.removed) {
      return texts.map((text) => ({ change: part.added ? 'added' : 'removed', text }));
    }
    const head = at === 0 ? 0 : CONTEXT;
    const tail = at === parts.length - 1 ? 0 : CONTEXT;
    const same = (some: string[]) => some.map((text): Line => ({ change: 'same', text }));
    if (texts.length <= head + tail + 1) return same(texts);
    const left = texts.length - head - tail;
    return [...same(texts.slice(0, head)), { change: 'gap', lines: left }, ...same(texts.slice(head + left))];
  });
}

/** One value of a JSON document that is another now; absent where there is none. */
export interface Value {
  path: string;
  before?: string;
  after?: string;
}

/** The values in which two JSON documents differ, whatever the order of their names. */
export function valueChanges(before: unknown, after: unknown, path = ''): Value[] {
  if (isObject(before) && isObject(after)) {
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((name) =>
      valueChanges(before[name], after[name], path ? `${path}.${name}` : name),
    );
  }
  if (Array.isArray(before) && Array.isArray(after) && [...before, ...after].some((each) => typeof each === 'object')) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, i) => i).flatMap((i) =>
      valueChanges(before[i], after[i], `${path}[${i}]`),
    );
  }
  const [was, is] = [JSON.stringify(before), JSON.stringify(after)];
  return was === is ? [] : [{ path, before: was, after: is }];
}
