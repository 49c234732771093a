import { describe, expect, it } from 'vitest';
import { faultyPart, faultyPattern, policyDraft, policyIn, policyText } from './policy.ts';

const policy = {
  off: ['path'],
  always: ['ip'],
  patterns: [{ name: 'order', pattern: 'ORD-[0-9]{6}' }],
  dictionaries: { people: ['김철수', 'Jane Roe'] },
  allow: ['status.example.com'],
};

describe('a policy being edited', () => {
  it('is sent as it was read when nothing was changed', () => {
    expect(policyIn(policyDraft(policy))).toEqual(policy);
    expect(policyIn(policyDraft({}))).toEqual({});
    expect(policyIn(policyDraft(null))).toEqual({});
  });

  it('is sent without what is empty, and with every word once', () => {
    expect(
      policyIn({
        off: [],
        always: [],
        patterns: [
          { name: '', pattern: '' },
          { name: 'a', pattern: '' },
        ],
        dictionaries: [
          { name: ' ', words: ' \n' },
          { name: 'people', words: 'kim\n kim \n\nlee' },
          { name: 'people', words: 'park' },
        ],
        allow: '\n',
      }),
    ).toEqual({ patterns: [{ name: 'a', pattern: '' }], dictionaries: { people: ['kim', 'lee', 'park'] } });
  });

  it('finds the row that the server means', () => {
    const draft = {
      ...policyDraft({}),
      patterns: [
        { name: '', pattern: '' },
        { name: 'a', pattern: 'a' },
        { name: 'b', pattern: '(' },
      ],
    };
    expect(faultyPattern(draft, 'policy.patterns[1].pattern')).toBe(2);
    expect(faultyPattern(draft, 'policy.allow[1]')).toBeUndefined();
    expect(faultyPart('masking.dictionaries["off"][3]')).toBe('dictionaries');
    expect(faultyPart('masking.off[0]')).toBe('off');
    expect(faultyPart('chain')).toBeUndefined();
  });

  it('is compared setting by setting', () => {
    expect(policyText(policy, 'masking.')).toEqual([
      'masking.off: path',
      'masking.always: ip',
      'masking.patterns.order: ORD-[0-9]{6}',
      'masking.dictionaries.people: 김철수',
      'masking.dictionaries.people: Jane Roe',
      'masking.allow: status.example.com',
    ]);
    expect(policyText(null)).toEqual([]);
  });
});
