import type { MaskPolicy } from '../../api/types.ts';

/** A policy being edited: its rows in the order they were written, its lists as text. */
export interface PolicyDraft {
  off: string[];
  always: string[];
  patterns: { name: string; pattern: string }[];
  dictionaries: { name: string; words: string }[];
  /** One a line. */
  allow: string;
}

export const policyDraft = (policy: MaskPolicy | null = {}): PolicyDraft => ({
  off: policy?.off ?? [],
  always: policy?.always ?? [],
  patterns: policy?.patterns ?? [],
  dictionaries: Object.entries(policy?.dictionaries ?? {}).map(([name, words]) => ({
    name,
    words: (words ?? []).join('\n'),
  })),
  allow: (policy?.allow ?? []).join('\n'),
});

const lines = (text: string) => [...new Set(text.split('\n').map((line) => line.trim()))].filter(Boolean);

/** What is sent: without rows that are still empty, and without lists that hold nothing. */
export function policyIn(draft: PolicyDraft): MaskPolicy {
  const patterns = draft.patterns.filter(written);
  const dictionaries: Record<string, string[]> = {};
  for (const { name, words } of draft.dictionaries) {
    const list = lines(words);
    // Two lists of one name are one.
    if (name.trim() || list.length > 0) dictionaries[name.trim()] = [...(dictionaries[name.trim()] ?? []), ...list];
  }
  const allow = lines(draft.allow);
  return {
    ...(draft.off.length > 0 && { off: draft.off }),
    ...(draft.always.length > 0 && { always: draft.always }),
    ...(patterns.length > 0 && { patterns }),
    ...(Object.keys(dictionaries).length > 0 && { dictionaries }),
    ...(allow.length > 0 && { allow }),
  };
}

const written = ({ name, pattern }: { name: string; pattern: string }) => name !== '' || pattern !== '';

/** Which row of the draft the server found a fault in: it counts the rows that were sent. */
export function faultyPattern(draft: PolicyDraft, field: string): number | undefined {
  const sent = /(?:^|\.)patterns\[(\d+)\]/.exec(field);
  if (!sent) return undefined;
  const rows = draft.patterns.flatMap((row, i) => (written(row) ? [i] : []));
  return rows[Number(sent[1])];
}

/** Which part of a policy a fault is in, for the control that shows it. */
export const faultyPart = (field: string) =>
  (['patterns', 'dictionaries', 'allow', 'off', 'always'] as const).find((part) =>
    new RegExp(`(^|\\.)${part}(\\[|$)`).test(field),
  );

/** A policy as text, one setting a line, for comparing two versions. */
export const policyText = (policy: MaskPolicy | null | undefined, prefix = ''): string[] => [
  ...(policy?.off?.length ? [`${prefix}off: ${policy.off.join(', ')}`] : []),
  ...(policy?.always?.length ? [`${prefix}always: ${policy.always.join(', ')}`] : []),
  ...(policy?.patterns ?? []).map(({ name, pattern }) => `${prefix}patterns.${name}: ${pattern}`),
  ...Object.entries(policy?.dictionaries ?? {}).flatMap(([name, words]) =>
    (words ?? []).map((word) => `${prefix}dictionaries.${name}: ${word}`),
  ),
  ...(policy?.allow ?? []).map((text) => `${prefix}allow: ${text}`),
];
