import type { OutlineSpan } from '../../api/types.ts';

export type Walk =
  | { go: number }
  | { open: number }
  | { close: number }
  | { act: 'leave' | 'detail' | 'search' | 'next_failed' | 'previous_failed' };

const PAGE = 15;

const ACTS = {
  Escape: 'leave',
  Enter: 'detail',
  '/': 'search',
  n: 'next_failed',
  p: 'previous_failed',
} as const;

/**
 * What a key does when the cursor is at one of the rows (-1: nowhere); undefined
 * when it is not ours. `go` is a row, `open` and `close` are spans.
 */
export function walk(
  key: string,
  spans: OutlineSpan[],
  rows: number[],
  at: number,
  collapsed: ReadonlySet<number>,
): Walk | undefined {
  const go = (row: number): Walk => ({ go: Math.max(0, Math.min(rows.length - 1, row)) });
  const span = rows[at] ?? -1;
  const { below = 0, parent = -1 } = spans[span] ?? {};
  switch (key) {
    case 'ArrowDown':
      return go(at + 1);
    case 'ArrowUp':
      return go(at - 1);
    case 'PageDown':
      return go(at + PAGE);
    case 'PageUp':
      return go(at - PAGE);
    case 'Home':
      return go(0);
    case 'End':
      return go(rows.length - 1);
    case 'ArrowLeft':
      if (span < 0) return undefined;
      if (below > 0 && !collapsed.has(span)) return { close: span };
      return parent >= 0 ? go(rows.lastIndexOf(parent, at)) : undefined;
    case 'ArrowRight':
      if (below === 0) return undefined;
      return collapsed.has(span) ? { open: span } : go(at + 1);
    case 'Escape':
    case 'Enter':
    case '/':
    case 'n':
    case 'p':
      return { act: ACTS[key] };
    default:
      return undefined;
  }
}
