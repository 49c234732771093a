import { diffLines } from 'diff';

export type Line = { change: 'added' | 'removed' | 'same'; text: string } | { change: 'gap'; lines: number };

/** Unchanged lines kept on each side of a change. */
const CONTEXT = 3;

/** The lines of a change, the unchanged ones far from any left out. Nothing changed: no lines. */
export function changes(before: string, after: string): Line[] {
  const parts = diffLines(before, after);
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
