import { createInstance } from 'i18next';
import { describe, expect, it } from 'vitest';
import type { Bill, Me, UsageReport, Used } from '../../api/types.ts';
import en from '../../i18n/en.json';
import ko from '../../i18n/ko.json';
import {
  baseOf,
  billed,
  callsOf,
  filterOf,
  linesOf,
  methodOf,
  nextOf,
  scopesOf,
  timesOf,
  unpricedShare,
} from './usage.ts';

const project = { id: 7, org_id: 3 };
const reader = (system: boolean, role: string, group = 0) =>
  ({
    user: { system },
    orgs: [{ id: 3, kind: 'team' }],
    access: [
      { org_id: 3, group_id: group, permissions: role === 'admin' ? ['org.admin', 'project.read'] : ['project.read'] },
    ],
  }) as unknown as Me;

describe('whose use is shown', () => {
  it('is the project and oneself for a member, whatever their role in a group', () => {
    expect(scopesOf(reader(false, 'viewer'), project)).toEqual(['project', 'me']);
    expect(scopesOf(reader(false, 'admin', 5), project)).toEqual(['project', 'me']);
  });
  it('is the organisation too for its admins, and all for system admins', () => {
    expect(scopesOf(reader(false, 'admin'), project)).toEqual(['project', 'org', 'me']);
    expect(scopesOf(reader(true, 'viewer'), project)).toEqual(['project', 'org', 'all', 'me']);
  });
  it('needs no project for oneself', () => {
    expect(scopesOf(reader(false, 'viewer'), undefined)).toEqual(['me']);
  });
  it('has an address of its own', () => {
    expect(baseOf('project', project)).toBe('/projects/7');
    expect(baseOf('org', project)).toBe('/orgs/3');
    expect(baseOf('all', project)).toBe('');
    expect(baseOf('me', project)).toBe('/me');
  });
});

it('compares with the time before only what is known', () => {
  expect(timesOf(3, 2)).toBe(1.5);
  expect(timesOf(3, 0)).toBe(Number.POSITIVE_INFINITY);
  expect(timesOf(0, 0)).toBe(1);
  expect(timesOf(null, 2)).toBeUndefined();
  expect(timesOf(3, null)).toBeUndefined();
});

it('tells the share of tokens without a price', () => {
  expect(unpricedShare({ input_tokens: 30, output_tokens: 10, unpriced_tokens: 10 } as Used)).toBe(0.25);
  expect(unpricedShare({ input_tokens: 0, output_tokens: 0, unpriced_tokens: 0 } as Used)).toBe(0);
});

it('draws the others in grey and keeps what is not known a gap', () => {
  const report = {
    series: [
      { key: 'a', others: false, calls: [1, 2], tokens: [3, 4], cost: [0.5, null], failed: [0, 0] },
      { key: '', others: true, calls: [5, 6], tokens: [7, 8], cost: [null, null], failed: [1, 0] },
    ],
  } as unknown as UsageReport;
  expect(linesOf(report, 'cost', (key) => `model ${key}`, 'rest')).toEqual([
    { label: 'model a', values: [0.5, null], tone: 's1' },
    { label: 'rest', values: [null, null], tone: 's8' },
  ]);
});

it('does not call a month free of which no price is known', () => {
  const bill = { spent: 2, expected: 5, method: 'daily', unpriced: 0, unpriced_share: 0 } as Bill;
  expect(billed(bill)).toBe(5);
  expect(billed({ ...bill, method: 'none' })).toBe(2);
  expect(billed({ ...bill, unpriced: 3, unpriced_share: 0.5 })).toBe(5);
  expect(billed({ ...bill, unpriced: 3, unpriced_share: 1 })).toBeUndefined();
});

describe('what an estimate is based on', () => {
  const say = async (lng: string) => {
    const i18n = createInstance();
    await i18n.init({ lng, resources: { en: { translation: en }, ko: { translation: ko } } });
    return (method: Bill['method'], days: number) =>
      i18n.t(`usage.method.${methodOf({ method, days })}`, { count: days });
  };
  it('is today alone before any whole day has data, as on the first day of all', async () => {
    const [inEnglish, inKorean] = [await say('en'), await say('ko')];
    expect(inEnglish('daily', 0)).toMatch(/^From what today has cost so far/);
    expect(inKorean('daily', 0)).toContain('오늘 지금까지의 비용');
    for (const said of [inEnglish('daily', 0), inKorean('daily', 0)]) expect(said).not.toMatch(/\d/);
  });
  it('is so many days, of which one is one', async () => {
    const [inEnglish, inKorean] = [await say('en'), await say('ko')];
    expect(inEnglish('daily', 1)).toMatch(/^From the one day with data;/);
    expect(inEnglish('daily', 2)).toMatch(/^From the average of 2 days with data;/);
    expect(inKorean('daily', 2)).toContain('2일의 평균');
    expect(inEnglish('weekday', 28)).toContain('(28 days with data)');
    expect(inKorean('weekday', 28)).toContain('28일');
    expect(inEnglish('none', 0)).toMatch(/^Too few days/);
  });
});

describe('what the page is narrowed to', () => {
  it('is what the address says of dimensions', () => {
    expect(filterOf({ by: 'role', org: '3', person: '0', model: undefined } as object)).toEqual({
      org: '3',
      person: '0',
    });
  });
  it('is told apart by something else then', () => {
    expect(nextOf('org', { org: '3' })).toBe('project');
    expect(nextOf('role', { role: 'writer', model: 'gpt-5' })).toBe('person');
    expect(nextOf('model', { model: 'm', role: 'r', person: '1', project: '7', purpose: 'api' })).toBe('model');
  });
});

describe('the calls of a row', () => {
  const projects = [
    { id: 7, org_id: 3, group_id: 0 },
    { id: 8, org_id: 4, group_id: 5 },
  ];
  const of = (row: object, scope: 'project' | 'org' | 'all' | 'me' = 'project') =>
    callsOf(row, scope, projects[0], projects, 5);
  it('are those of the project by role and model', () => {
    expect(of({ role: 'writer' })).toEqual({ project: 7, role: 'writer' });
    expect(of({ model: 'gpt-5', role: 'writer' })).toEqual({ project: 7, role: 'writer', model: 'gpt-5' });
    expect(of({ provider: 'lab', model: 'meta/llama' })).toEqual({ project: 7, model: 'lab/meta/llama' });
    expect(of({ provider: 'lab' })).toEqual({ project: 7, model: 'lab/' });
  });
  it('are those of a person, a token and a purpose', () => {
    expect(of({ person: '1', purpose: 'api' })).toEqual({ project: 7, person: '1', purpose: 'api' });
    expect(of({ token: '0' })).toEqual({ project: 7, token: '0' });
    expect(of({ project: '8', person: '1' }, 'all')).toEqual({ project: 8, person: '1' });
  });
  it('are ones own where only those are counted', () => {
    expect(of({ project: '8', role: 'writer' }, 'me')).toEqual({ project: 8, role: 'writer', person: '5' });
    expect(of({ role: 'writer' }, 'me')).toBeUndefined();
  });
  it('are those of another project that the reader is in', () => {
    expect(of({ project: '8', org: '4', group: '5' }, 'all')?.project).toBe(8);
    expect(of({ project: '9' }, 'all')).toBeUndefined();
    expect(of({ project: '8', org: '3' }, 'all')).toBeUndefined();
  });
  it('are not shown where that page cannot tell them apart', () => {
    expect(of({ role: 'writer' }, 'org')).toBeUndefined();
    expect(of({ role: '' })).toBeUndefined();
    expect(of({ model: 'meta/llama' })).toBeUndefined();
  });
});
