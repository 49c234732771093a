import { describe, expect, it } from 'vitest';
import { setParameters, shown, typed } from './parameters.ts';

describe('parameters', () => {
  it('are told when they are set, zero included', () => {
    expect(setParameters({ temperature: 0, stop: [], reasoning_effort: '', max_tokens: 5 })).toEqual([
      ['temperature', '0'],
      ['max_tokens', '5'],
    ]);
    expect(setParameters({ stop: ['END', '\n\n'] })).toEqual([['stop', 'END | \\n\\n']]);
  });

  it('end an answer at texts that are typed with escapes', () => {
    for (const text of ['END', '\n\n', '\\n', 'a\tb', '\\']) expect(typed(shown(text))).toBe(text);
    expect(typed('\\n###')).toBe('\n###');
  });
});
