import { describe, expect, it } from 'vitest';
import { changes, valueChanges } from './diff.ts';

describe('the difference between two texts', () => {
  it('leaves out what is far from a change', () => {
    const before = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    const after = before.with(15, 'another');
    const lines = changes(before.join('\n'), after.join('\n'));
    expect(lines[0]).toEqual({ change: 'gap', lines: 12 });
    expect(lines.at(-1)).toEqual({ change: 'gap', lines: 11 });
    expect(lines).toHaveLength(1 + 3 + 2 + 3 + 1);
  });

  it('leaves the last line as it is when another follows it', () => {
    expect(changes('a\nb', 'a\nb\nc')).toEqual([
      { change: 'same', text: 'a' },
      { change: 'same', text: 'b' },
      { change: 'added', text: 'c' },
    ]);
    expect(changes('', 'a')).toEqual([{ change: 'added', text: 'a' }]);
  });
});

describe('the difference between two JSON documents', () => {
  it('is told by path, added and removed values too', () => {
    const before = { type: 'object', properties: { a: { type: 'string' }, b: {} }, required: ['a', 'b'] };
    const after = { properties: { a: { type: 'number' }, c: {} }, required: ['a'], type: 'object' };
    expect(valueChanges(before, after)).toEqual([
      { path: 'properties.a.type', before: '"string"', after: '"number"' },
      { path: 'properties.b', before: '{}', after: undefined },
      { path: 'properties.c', before: undefined, after: '{}' },
      { path: 'required', before: '["a","b"]', after: '["a"]' },
    ]);
  });

  it('goes into lists of objects, and is nothing when only the order of names differs', () => {
    expect(valueChanges([{ a: 1 }], [{ a: 2 }, { b: 1 }])).toEqual([
      { path: '[0].a', before: '1', after: '2' },
      { path: '[1]', before: undefined, after: '{"b":1}' },
    ]);
    expect(valueChanges({ a: 1, b: 2 }, { b: 2, a: 1 })).toEqual([]);
    expect(valueChanges(undefined, { a: 1 })).toEqual([{ path: '', before: undefined, after: '{"a":1}' }]);
  });
});
