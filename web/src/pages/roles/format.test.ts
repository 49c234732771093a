import { describe, expect, it } from 'vitest';
import { formatFault } from './format.ts';

const format = (schema: unknown, rest: object = {}) =>
  JSON.stringify({ type: 'json_schema', name: 'report', ...rest, schema }, null, 2);

describe('a response format', () => {
  it('may be absent, or a named JSON schema', () => {
    expect(formatFault(' \n')).toBeUndefined();
    expect(
      formatFault(format({ type: 'object', properties: { a: { type: ['string', 'null'] }, b: true } })),
    ).toBeUndefined();
  });

  it('is refused where its JSON breaks', () => {
    expect(formatFault('{\n  "type": json_schema\n}')).toEqual({ line: 2, column: 11, path: '', wants: 'json' });
  });

  it('is refused where it is not of the form', () => {
    const why = (text: string) => {
      const { path, wants } = formatFault(text) ?? {};
      return [path, wants];
    };
    expect(why('[]')).toEqual(['', 'object']);
    expect(why('{"type": "json_object"}')).toEqual(['type', 'json_schema']);
    expect(why(format({}, { name: 'a report' }))).toEqual(['name', 'name']);
    expect(why(format('string'))).toEqual(['schema', 'schema']);
    expect(why(format({ type: 'text' }))).toEqual(['schema.type', 'types']);
    expect(why(format({ properties: [] }))).toEqual(['schema.properties', 'object']);
    expect(why(format({ required: true }))).toEqual(['schema.required', 'names']);
    expect(why(format({ items: { anyOf: [{}, { enum: 'a' }] } }))).toEqual(['schema.items.anyOf[1].enum', 'list']);
  });

  it('is refused at the line of the mistake, or of what lacks something', () => {
    expect(formatFault(format({ properties: { a: { type: 'text' } } }))).toMatchObject({ line: 7, column: 17 });
    expect(formatFault('\n{}')).toEqual({ line: 2, column: 1, path: 'type', wants: 'json_schema' });
  });
});
