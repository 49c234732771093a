import { describe, expect, it } from 'vitest';
import { fault, find, marker, terms, toggle, write } from './language.ts';

const told = (text: string) =>
  terms(text).map((t) => `${t.not ? '-' : ''}${t.field}${t.op}${t.value}@${t.from}-${t.to}`);

describe('a query', () => {
  it('is read into its terms', () => {
    expect(told('timeout "connection reset" service:order-api')).toEqual([
      'timeout@0-7',
      'connection reset@8-26',
      'service:order-api@27-44',
    ]);
    expect(told('level>=warn -path:/health')).toEqual(['level>=warn@0-11', '-path:/health@12-25']);
    expect(told('(a OR b) NOT c')).toEqual(['a@1-2', 'b@6-7', '-c@9-14']);
    expect(told('-(a b:"x \\" y")')).toEqual(['-a@2-3', '-b:x " y@4-14']);
    expect(told('a:b,"c d",e f,g')).toEqual(['a:b,"c d",e@0-11', 'f,g@12-15']);
    expect(told('b:!=x 결제:성공')).toEqual(['b!=x@0-5', '결제:성공@6-11']);
  });

  it('is read while it is typed', () => {
    expect(told('service:')).toEqual(['service:@0-8']);
    expect(told('a "unfinished')).toEqual(['a@0-1', 'unfinished@2-13']);
    expect(told('(a')).toEqual(['a@1-2']);
    expect(told('-')).toEqual(['-@0-1']);
  });

  it('gains and loses conditions', () => {
    expect(toggle('', 'service', 'pay')).toBe('service:pay');
    expect(toggle('x', 'service', 'pay', true)).toBe('x -service:pay');
    expect(toggle('x service:pay y', 'service', 'pay')).toBe('x y');
    expect(toggle('service:pay', 'service', 'pay', true)).toBe('-service:pay');
    expect(toggle('x -service:pay', 'service', 'pay')).toBe('x service:pay');
    expect(toggle('service!=pay', 'service', 'pay', true)).toBe('');
    expect(toggle('a OR b', 'level', 'error')).toBe('(a OR b) level:error');
    expect(toggle('"a OR b"', 'level', 'error')).toBe('"a OR b" level:error');
    expect(find('service:"a b"', 'service', 'a b')?.from).toBe(0);
  });

  it('writes values so that they are read as they are', () => {
    for (const value of ['pay', 'a b', 'a,b', '"', '\\', '>5', '(x)', '결제', '']) {
      expect(terms(write('f', value)).map((t) => [t.field, t.op, t.value])).toEqual([['f', ':', value]]);
    }
  });

  it('marks what it looks for', () => {
    const marks = (query: string, body: string) => body.match(marker(query) ?? /$^/g);
    expect(marks('timeout -foo service:bar "by peer"', 'TIMEOUT: reset by peer, foo bar')).toEqual([
      'TIMEOUT',
      'by peer',
    ]);
    expect(marks('conn*', 'connect')).toEqual(['conn']);
    expect(marks('body~"a.c"', 'abc')).toEqual(['abc']);
    expect(marker('service:x')).toBeUndefined();
    expect(marker('body~"(?P<x>a)"')).toBeUndefined();
  });

  it('shows where its mistake is', () => {
    expect(fault('결제 level:loud', 'column 10: there is no level')).toEqual({
      from: 9,
      to: 13,
      column: 10,
      what: 'there is no level',
    });
    expect(fault('a', 'column 2: a value is missing')).toMatchObject({ from: 1, to: 2 });
  });
});
