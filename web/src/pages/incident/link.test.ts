import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { QueryClient } from '@tanstack/react-query';
import { describe, expect, it } from 'vitest';
import { createAppRouter } from '../../router.tsx';
import { readRectangle } from '../transactions/rectangle.ts';
import { DATA_PAGES, dataLink } from './link.ts';

// One link of each form that package evidence writes; its test keeps them up to date.
const links: Record<string, string> = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../../internal/evidence/testdata/links.json'), 'utf8'),
);
const router = createAppRouter(new QueryClient());

/** What the page behind an address reads of it, and the page's route. */
function read(address: string) {
  const { pathname, search } = router.parseLocation({ href: address, ...parts(address), state: {} } as never);
  const matched = router.matchRoutes(pathname, search);
  const last = matched.at(-1);
  return { route: last?.routeId ?? '', search: { ...last?.search } as Record<string, unknown>, params: last?.params };
}

function parts(address: string) {
  const [pathname = '', asked = ''] = address.split('?', 2);
  return { pathname, search: asked && `?${asked}`, hash: '' };
}

describe('the link of a fact', () => {
  it.each(Object.entries(links))('of the form %s is understood by a page, with all that it asks', (_, link) => {
    const data = dataLink({ link });
    if (!data) throw new Error(`${link} leads to no page that shows data`);
    const { route, search } = read(link);
    expect(route).toMatch(new RegExp(`^/home/projects/\\$project/${data.page}(/|$)`));
    const given = Object.entries(search).filter(([, value]) => value !== undefined);
    expect(Object.fromEntries(given.map(([name, value]) => [name, String(value)]))).toEqual(data.search);
  });

  it('reaches every page that shows data', () => {
    const reached = new Set(Object.values(links).map((link) => dataLink({ link })?.page));
    expect([...reached].sort()).toEqual([...DATA_PAGES].sort());
  });

  it('selects in the scatter what it says', () => {
    const sel = Object.values(links)
      .map((link) => dataLink({ link })?.search.sel)
      .find(Boolean);
    expect(readRectangle(sel)).toMatchObject({ min: 500_000, max: 86_400_000_000 });
  });

  it('of a name with a slash keeps it in one part of the path', () => {
    expect(read('/projects/1/services/team%2Fshop%201?tab=versions').params).toMatchObject({ service: 'team/shop 1' });
  });

  it('leads nowhere but to pages of a project', () => {
    for (const link of [
      '',
      undefined,
      'https://evil.example/projects/1/logs',
      '//evil.example/projects/1/logs',
      '/projects/1/moon',
      '/users',
    ])
      expect(dataLink({ link })).toBeUndefined();
  });
});
