import { describe, expect, it } from 'vitest';
import type { StackFrame } from '../../api/types.ts';
import { folded } from './fold.ts';

const frames = (marks: string): StackFrame[] =>
  [...marks].map((m) => ({ module: m, function: '', file: '', line: 0, in_app: m === '*' }));
const shape = (marks: string) => folded(frames(marks)).map((p) => `${p.from}${p.own ? '+' : '-'}${p.frames.length}`);

describe('a stack', () => {
  it('folds what is not the application’s own', () => expect(shape('..**.*')).toEqual(['0-2', '2+2', '4-1', '5+1']));
  it('folds nothing when nothing of it is the application’s own', () => expect(shape('...')).toEqual(['0+3']));
  it('may be empty', () => expect(shape('')).toEqual([]));
});
