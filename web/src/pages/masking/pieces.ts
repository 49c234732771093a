import type { MaskingHit } from '../../api/types.ts';

/** A part of what leaves: as it was, or a token with what it stands for. */
export interface Piece {
  text: string;
  at: number;
  hit?: MaskingHit;
  original?: string;
}

/** What leaves, cut at its tokens. Offsets of hits are in characters, of which JavaScript counts some twice. */
export function pieces(text: string, masked: string, hits: MaskingHit[]): Piece[] {
  const before = Array.from(text);
  const after = Array.from(masked);
  const all: Piece[] = [];
  let at = 0;
  for (const hit of hits) {
    if (hit.masked_start > at) all.push({ text: after.slice(at, hit.masked_start).join(''), at });
    all.push({
      text: after.slice(hit.masked_start, hit.masked_end).join(''),
      at: hit.masked_start,
      hit,
      original: before.slice(hit.start, hit.end).join(''),
    });
    at = hit.masked_end;
  }
  if (at < after.length) all.push({ text: after.slice(at).join(''), at });
  return all;
}
