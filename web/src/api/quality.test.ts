import { expect, it } from 'vitest';
import { readEvents } from './quality.ts';

it('events are read whole, and the beginning of the next one waits', () => {
  const first = readEvents('event: text\ndata: {"text":"a\\nb"}\n\nevent: te');
  expect(first).toEqual({ events: [{ name: 'text', data: { text: 'a\nb' } }], left: 'event: te' });
  expect(readEvents(`${first.left}xt\ndata: {"text":"c"}\n\nevent: done\ndata: {}\n\n`)).toEqual({
    events: [
      { name: 'text', data: { text: 'c' } },
      { name: 'done', data: {} },
    ],
    left: '',
  });
});
