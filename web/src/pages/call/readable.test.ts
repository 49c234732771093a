import { expect, test } from 'vitest';
import { answerTexts } from './readable.ts';

test('an answer that says the same by its schema is shown once', () => {
  expect(answerTexts('{"a":1}', { a: 1 })).toEqual({ answer: '{\n  "a": 1\n}' });
  expect(answerTexts('Hello.')).toEqual({ answer: 'Hello.' });
});

test('an answer that says something else by its schema is shown both ways', () => {
  expect(answerTexts('{"a":1,"b":null}', { a: 1 })).toEqual({ answer: '{\n  "a": 1\n}', given: '{"a":1,"b":null}' });
});
