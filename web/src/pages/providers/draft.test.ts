import { describe, expect, it } from 'vitest';
import { isName, isSecret, wrongURL } from './draft.ts';

describe('what is written of a provider', () => {
  it('has a name that chains can hold', () => {
    for (const good of ['openai', 'lab-2', 'a.b_c', '9']) expect(isName(good), good).toBe(true);
    for (const bad of ['', 'Lab', '-a', 'a b', 'a/b', 'x'.repeat(64)]) expect(isName(bad), bad).toBe(false);
  });

  it('has an address without anything secret in it, or none', () => {
    expect(wrongURL('')).toBeUndefined();
    expect(wrongURL('https://models.example.com/v1')).toBeUndefined();
    expect(wrongURL('http://127.0.0.1:8000')).toBeUndefined();
    for (const bad of ['models.example.com', 'ftp://a', 'http://', 'http:///v1', 'http://a:99999']) {
      expect(wrongURL(bad), bad).toBe('address');
    }
    expect(wrongURL('https://me:word@models.example.com')).toBe('secret');
    expect(wrongURL('https://models.example.com/?key=1')).toBe('rest');
  });

  it('has keys of printed ASCII without spaces', () => {
    expect(isSecret(' sk-abc_123\n')).toBe(true);
    for (const bad of ['', '  ', 'two words', '비밀', 'x'.repeat(4097)])
      expect(isSecret(bad), bad.slice(0, 9)).toBe(false);
  });
});
