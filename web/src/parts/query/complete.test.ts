import { describe, expect, it } from 'vitest';
import { suggest } from './complete.ts';

const known = [
  { field: 'level', values: [{ value: 'error', count: 3 }] },
  {
    field: 'service',
    values: [
      { value: 'order-api', count: 9 },
      { value: 'pay me', count: 2 },
    ],
  },
  { field: 'attr.http.route', values: [{ value: '/v1', count: 1 }] },
  { field: 'attr.a b', values: [] },
];
const offered = (text: string, caret = text.length) =>
  suggest(text, caret, known).map((o) => text.slice(0, o.from) + o.text + text.slice(o.to));

describe('completion', () => {
  it('offers the fields that can be written', () => {
    expect(offered('')).toEqual(['level:', 'service:', 'attr.http.route:']);
    expect(offered('timeout ser')).toEqual(['timeout service:']);
    expect(offered('-http')).toEqual(['-attr.http.route:']);
    expect(offered('"ser')).toEqual([]);
  });

  it('offers the values of a field, written as they must be', () => {
    expect(offered('service:')).toEqual(['service:order-api', 'service:"pay me"']);
    expect(offered('service:pay x', 11)).toEqual(['service:"pay me" x']);
    expect(offered('http.route:')).toEqual(['http.route:/v1']);
    expect(offered('service:order-api')).toEqual([]);
    expect(offered('nothing:')).toEqual([]);
  });
});
