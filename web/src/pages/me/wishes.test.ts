import { describe, expect, it } from 'vitest';
import type { MyNotifications, PersonalRule } from '../../api/types.ts';
import { editOf, withoutWay, withRule, withWay } from './wishes.ts';

const rule = (name: string, ...ways: string[]): PersonalRule => ({ name, ways });
const mine = (part: Partial<MyNotifications> = {}): MyNotifications => ({
  language: '',
  time_zone: 'Asia/Seoul',
  ways: [{ kind: 'email', address: '' }],
  rules: [rule('a', 'email'), rule('b', 'email', 'slack')],
  kinds: [],
  version: 3,
  updated_at: '2026-11-29T12:00:00Z',
  ...part,
});

describe('what somebody wants to be told of', () => {
  it('is edited without what the server says of it', () => {
    expect(Object.keys(editOf(mine()))).toEqual(['language', 'time_zone', 'quiet', 'digest', 'ways', 'rules']);
    expect(editOf(mine()).time_zone).toBe('Asia/Seoul');
  });

  it('begins in the time zone of the reader', () => {
    expect(editOf(mine({ version: 0, time_zone: '' })).time_zone).toBe(
      Intl.DateTimeFormat().resolvedOptions().timeZone,
    );
  });

  it('has one way of each kind', () => {
    const edit = withWay(withWay(editOf(mine()), { kind: 'slack', address: 'U1' }), { kind: 'slack', address: 'U2' });
    expect(edit.ways).toEqual([
      { kind: 'email', address: '' },
      { kind: 'slack', address: 'U2' },
    ]);
  });

  it('loses with a way the rules that only it told', () => {
    const edit = withoutWay(editOf(mine()), 'email');
    expect(edit.ways).toEqual([]);
    expect(edit.rules).toEqual([rule('b', 'slack')]);
  });

  it('takes a rule in the place of another or at the end', () => {
    expect(withRule(editOf(mine()), 0, rule('c', 'email')).rules?.map(({ name }) => name)).toEqual(['c', 'b']);
    expect(withRule(editOf(mine()), 2, rule('c', 'email')).rules?.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  });
});
