import type { Row } from './tree.ts';

export type Walk = { go: number } | { open: string } | { close: string } | { leave: true };

const PAGE = 15;

/** What a key does to the tree when the cursor is at a row (-1: nowhere); undefined when it is not ours. */
export function walk(key: string, rows: Row[], at: number): Walk | undefined {
  const go = (index: number): Walk => ({ go: Math.max(0, Math.min(rows.length - 1, index)) });
  const row = rows[at];
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
    case 'Escape':
      return { leave: true };
    case 'ArrowLeft':
      if (!row) return undefined;
      if (row.below > 0 && !row.collapsed) return { close: row.span.span_id };
      return row.parent >= 0 ? go(row.parent) : undefined;
    case 'ArrowRight':
      if (!row || row.below === 0) return undefined;
      return row.collapsed ? { open: row.span.span_id } : go(at + 1);
    default:
      return undefined;
  }
}
