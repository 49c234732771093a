import { describe, expect, it } from 'vitest';
import { EXAMPLES, FIELDS, fieldsIn } from './examples.ts';
import { pieces } from './pieces.ts';

const hit = (start: number, end: number, masked_start: number, masked_end: number) => ({
  class: 'ip',
  token: '',
  start,
  end,
  masked_start,
  masked_end,
});

describe('what leaves', () => {
  it('is cut at its tokens, counted in characters', () => {
    const found = pieces('😀 10.1.2.3!', '😀 198.18.0.9!', [hit(2, 10, 2, 12)]);
    expect(found.map(({ text, original }) => [text, original])).toEqual([
      ['😀 ', undefined],
      ['198.18.0.9', '10.1.2.3'],
      ['!', undefined],
    ]);
  });

  it('is one piece when nothing was masked, and none when it is empty', () => {
    expect(pieces('ab', 'ab', [])).toEqual([{ text: 'ab', at: 0 }]);
    expect(pieces('', '', [])).toEqual([]);
  });
});

describe('the examples', () => {
  it('hold a document that can be read, with fields that it has', () => {
    const document = JSON.parse(EXAMPLES.json);
    const fields = fieldsIn(FIELDS);
    expect(fields).toMatchObject({ 'sql.table': 'table', pod: 'pod' });
    for (const path of Object.keys(fields)) {
      expect(
        path.split('.').reduce((at, key) => at?.[key], document),
        path,
      ).toBeDefined();
    }
  });
});
