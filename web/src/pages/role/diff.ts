import { diffLines } from 'diff';
import type { RoleVersion } from '../../api/types.ts';

/** A role as text, one thing a line, so that versions can be compared line by line. */
export function roleText(role: RoleVersion): string {
  const format = role.response_format ? JSON.stringify(role.response_format, null, 2) : 'null';
  return [
    `description: ${role.description}`,
    `rate_limit_interval_ms: ${role.rate_limit_interval_ms}`,
    ...Object.entries(role.parameters).map(([name, value]) => `parameters.${name}: ${value}`),
    ...(role.chain ?? []).map((e, i) => `chain.${i + 1}: ${e.provider} ${e.model} ${e.timeout_ms} ms`),
    'system_message:',
    ...role.system_message.split('\n').map((line) => (line ? `  ${line}` : '')),
    `response_format: ${format}`,
  ].join('\n');
}

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
