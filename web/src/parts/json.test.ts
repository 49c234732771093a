import { describe, expect, it } from 'vitest';
import { placeIn, readJson } from './json.ts';

describe('JSON that is read', () => {
  it('has the place of each value', () => {
    const text = '{\n  "a": [1, {"b": null}]\n}';
    const read = readJson(text);
    if ('at' in read) throw new Error(`stopped at ${read.at}`);
    expect(read.value).toEqual({ a: [1, { b: null }] });
    expect(placeIn(text, read.places.get('a[1].b') ?? -1)).toEqual({ line: 2, column: 18 });
  });

  it('is what the engine takes for JSON, and nothing else', () => {
    const texts = ['{}', '[]', ' "a\\u00e9" ', '-1.5e3', '[1,]', '{"a":1,}', '{a:1}', "'a'", '01', '1 2', '"a\nb"', ''];
    const engine = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    for (const text of texts) expect([text, !('at' in readJson(text))]).toEqual([text, engine(text)]);
  });

  it('says where it breaks', () => {
    const where = (text: string) => {
      const read = readJson(text);
      return 'at' in read ? placeIn(text, read.at) : undefined;
    };
    expect(where('{\n  "a": 1\n  "b": 2\n}')).toEqual({ line: 3, column: 3 });
    expect(where('{"a": tru}')).toEqual({ line: 1, column: 7 });
    expect(where('[1, 2')).toEqual({ line: 1, column: 6 });
    expect(where('[1,]')).toEqual({ line: 1, column: 4 });
  });
});
