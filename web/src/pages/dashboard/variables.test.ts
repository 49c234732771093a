import { describe, expect, it } from 'vitest';
import { fillPromQL, fillSearch, fillText, readChosen, writeChosen } from './variables.ts';

describe('the variables of a dashboard', () => {
  it('stand in PromQL, quoted as the matcher needs', () => {
    expect(fillPromQL('up{a="$x", b=~"$x", c="[[x]]-1"}', { x: 'a.b"' })).toBe(
      'up{a="a.b\\"", b=~"a\\\\.b\\"", c="a.b\\"-1"}',
    );
    expect(fillPromQL('rate(x[$w]) * $xy', { w: '5m', x: '1' })).toBe('rate(x[5m]) * $xy');
  });
  it('match anything when all values are chosen', () => {
    expect(fillPromQL('up{a="$x", b!="$x"}', { x: '' })).toBe('up{a=~".*", b!=""}');
    expect(fillSearch('service:"$s" status:error', { s: '' })).toBe('status:error');
    expect(fillSearch('service:"$s" status:error', { s: 'a b' })).toBe('service:"a b" status:error');
    expect(fillText('of $s', { s: '' }, 'all')).toBe('of all');
  });
  it('go to the address and back', () => {
    expect(readChosen(writeChosen({ a: 'x&y=z', b: '' }))).toEqual({ a: 'x&y=z', b: '' });
  });
});
