import type { MaskToken } from '../../api/types.ts';

/** A masked text with the originals in the place of their tokens, whatever their case. */
export function withOriginals(text: string, tokens: readonly MaskToken[]): string {
  if (tokens.length === 0) return text;
  const values = new Map(tokens.map(({ token, value }) => [token.toLowerCase(), value]));
  const longestFirst = [...values.keys()].sort((a, b) => b.length - a.length);
  const any = new RegExp(longestFirst.map((token) => token.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'), 'gi');
  return text.replace(any, (token) => values.get(token.toLowerCase()) ?? token);
}
