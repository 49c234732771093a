import { describe, expect, it } from 'vitest';
import { changes } from './diff.ts';

describe('the difference between two texts', () => {
  it('leaves out what is far from a change', () => {
    const before = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    const after = before.with(15, 'another');
    const lines = changes(before.join('\n'), after.join('\n'));
    expect(lines[0]).toEqual({ change: 'gap', lines: 12 });
    expect(lines.at(-1)).toEqual({ change: 'gap', lines: 11 });
    expect(lines).toHaveLength(1 + 3 + 2 + 3 + 1);
  });
});
