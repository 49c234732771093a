import { InfiniteQueryObserver, QueryClient } from '@tanstack/react-query';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { incidentsQuery } from './incidents.ts';
import { transactionsQuery } from './traces.ts';

const answers = (next: (url: URL) => object) => {
  const asked: URL[] = [];
  vi.stubGlobal('fetch', async (path: string) => {
    const url = new URL(path, 'http://matrix');
    asked.push(url);
    return new Response(JSON.stringify(next(url)));
  });
  return asked;
};

afterEach(() => vi.unstubAllGlobals());

describe('a list of another project', () => {
  it('does not show the rows of the one before', async () => {
    answers(() => ({ items: [{ id: 1 }], next_cursor: '', total: 1 }));
    const client = new QueryClient();
    const observer = new InfiniteQueryObserver(client, incidentsQuery(1, 'open', ''));
    const stop = observer.subscribe(() => {});
    await vi.waitFor(() => expect(observer.getCurrentResult().data?.pages).toHaveLength(1));
    observer.setOptions(incidentsQuery(1, 'open', 'word'));
    expect(observer.getCurrentResult().data?.pages).toHaveLength(1);
    observer.setOptions(incidentsQuery(2, 'open', ''));
    expect(observer.getCurrentResult().data).toBeUndefined();
    stop();
    client.clear();
  });
});

describe('a list over a relative range', () => {
  const following = { range: { range: '1h' } } as const;
  const filter = { order: 'newest' } as const;

  it('asks for all its pages in the range of the first', async () => {
    const asked = answers((url) => ({
      items: [],
      next_cursor: url.searchParams.get('cursor') ? '' : 'c1',
      total: 0,
    }));
    const client = new QueryClient();
    const query = transactionsQuery(1, filter, {
      range: { range: '1h' },
      pausedAt: Date.parse('2026-11-23T14:00:00Z'),
    });
    await client.fetchInfiniteQuery({ ...query, pages: 2 });
    expect(asked.map((url) => [url.searchParams.get('cursor'), url.searchParams.get('to')])).toEqual([
      [null, '2026-11-23T14:00:00.000Z'],
      ['c1', '2026-11-23T14:00:00.000Z'],
    ]);
  });

  it('has one address for its answers, whatever the time', () => {
    vi.useFakeTimers({ now: 0 });
    const { queryKey } = transactionsQuery(1, filter, following);
    vi.setSystemTime(3_600_000);
    expect(transactionsQuery(1, filter, following).queryKey).toEqual(queryKey);
    vi.useRealTimers();
  });

  it('stands still once more pages are loaded, and while the reader has paused', () => {
    const every = (query: ReturnType<typeof transactionsQuery>, loaded: number) => {
      const { refetchInterval } = query;
      if (typeof refetchInterval !== 'function') throw new Error('is decided by what is loaded');
      return refetchInterval({ state: { data: { pages: Array(loaded).fill(0) } } } as never);
    };
    expect(every(transactionsQuery(1, filter, following), 1)).toBe(30_000);
    expect(every(transactionsQuery(1, filter, following), 2)).toBe(false);
    expect(every(transactionsQuery(1, filter, { ...following, pausedAt: 1 }), 1)).toBe(false);
  });
});
