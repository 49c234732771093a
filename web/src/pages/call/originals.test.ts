import { describe, expect, it } from 'vitest';
import { withOriginals } from './originals.ts';

describe('the originals of a masked text', () => {
  const tokens = [
    { class: 'email', token: 'mail427kx@x.example', value: 'kim@shop.kr' },
    { class: 'table', token: 'tbl222cd', value: 'members' },
    { class: 'ip', token: '198.18.120.130', value: '10.0.0.1' },
  ];

  it('stand in the place of their tokens, whatever their case', () => {
    expect(withOriginals('FROM TBL222CD, mail427kx@x.example', tokens)).toBe('FROM members, kim@shop.kr');
  });

  it('are not put where a token only looks alike', () => {
    expect(withOriginals('198x18y120z130', tokens)).toBe('198x18y120z130');
  });

  it('leave a text without tokens as it is', () => {
    expect(withOriginals('nothing', [])).toBe('nothing');
  });
});
