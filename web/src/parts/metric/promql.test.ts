import { describe, expect, it } from 'vitest';
import { fault, metricsOf, placeAt, unitOf } from './promql.ts';

const at = (marked: string) => placeAt(marked.replace('|', ''), marked.indexOf('|'));

describe('the place of the cursor', () => {
  it('is in a name', () => {
    expect(at('sum(rate(http_re|')).toEqual({ kind: 'name', begin: 9, word: 'http_re' });
    expect(at('|')).toEqual({ kind: 'name', begin: 0, word: '' });
  });
  it('is in the labels of a selector', () => {
    expect(at('up{jo|')).toEqual({ kind: 'label', begin: 3, word: 'jo', metric: 'up', matcher: true });
    expect(at('up{job="a", |}')).toEqual({ kind: 'label', begin: 12, word: '', metric: 'up', matcher: true });
  });
  it('is in the value of a label, whatever stands in the values before it', () => {
    expect(at('up{a="}{", job=~"ap|"}')).toEqual({ kind: 'value', begin: 17, word: 'ap', metric: 'up', label: 'job' });
  });
  it('is in a grouping', () => {
    expect(at('sum by (ho|) (up)')).toEqual({ kind: 'label', begin: 8, word: 'ho', metric: 'up', matcher: false });
  });
  it('is nowhere within a range or a text', () => {
    expect(at('rate(x[5|m])')).toEqual({ kind: 'none' });
    expect(at('label_replace(x, "a|")')).toEqual({ kind: 'none' });
  });
});

describe('a query', () => {
  it('names its metrics, not its functions, labels and durations', () => {
    expect(metricsOf('sum by (job) (rate(a_total{x="b"}[5m])) / on (job) c_total offset 5m > bool 0')).toEqual([
      'a_total',
      'c_total',
    ]);
  });
  it('tells its unit by names and by what it does with them', () => {
    const unit = (query: string, said = '') => unitOf(query, () => said || undefined);
    expect(unit('process_memory_bytes')).toBe('bytes');
    expect(unit('rate(sent_bytes_total[5m])')).toBe('byte_rate');
    expect(unit('sum(rate(http_requests_total[5m]))')).toBe('rate');
    expect(unit('histogram_quantile(0.9, sum by (le) (rate(took_seconds_bucket[5m])))')).toBe('seconds');
    expect(unit('rate(took_seconds_sum[5m]) / rate(took_seconds_count[5m])')).toBe('seconds');
    expect(unit('rate(took_seconds_count[5m])')).toBe('rate');
    expect(unit('rate(cpu_seconds_total[5m])')).toBe('number');
    expect(unit('jvm_heap', 'By')).toBe('bytes');
    expect(unit('count(up)')).toBe('number');
    expect(unit('a_total / b_total')).toBe('number');
  });
});

it('says where a fault of a query is', () => {
  expect(fault('invalid parameter "query": 1:16: parse error: unclosed left parenthesis')).toEqual({
    line: 1,
    column: 16,
    message: 'unclosed left parenthesis',
  });
  expect(fault('too many samples')).toBeUndefined();
});
