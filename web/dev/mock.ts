// Answers the API from fixtures while `MATRIX_MOCK=1 npm run dev` runs. Only
// for work on the looks: the browser tests run against the real binary.
import type { Plugin } from 'vite';
import * as fx from './fixtures.ts';

let signedIn = process.env.MATRIX_MOCK !== 'login';
const page = (items: unknown[]) => ({ items, next_cursor: '', total: items.length });

const routes: [string, RegExp, (m: string[], query: URLSearchParams) => unknown][] = [
  [
    'POST',
    /^\/session$/,
    () => {
      signedIn = true;
      return me;
    },
  ],
  [
    'DELETE',
    /^\/session$/,
    () => {
      signedIn = false;
    },
  ],
  ['GET', /^\/me$/, () => me],
  [
    'GET',
    /^\/projects$/,
    () =>
      page([
        {
          id: 1,
          name: 'TEST-PROJECT',
          org_id: 1,
          org_name: 'Kakao',
          group_id: 1,
          group_name: '커머스',
          role: 'admin',
          language: 'ko',
          retention_days: 14,
          span_rate: 0,
        },
        {
          id: 2,
          name: 'order',
          org_id: 1,
          org_name: 'Kakao',
          group_id: 2,
          group_name: '결제',
          role: 'viewer',
          language: 'ko',
          retention_days: 14,
          span_rate: 0,
        },
      ]),
  ],
  [
    'GET',
    /^\/projects\/1\/incidents$/,
    (_, q) =>
      page(
        fx.incidents.filter(
          (i) => (!q.get('state') || i.state === q.get('state')) && JSON.stringify(i).includes(q.get('q') ?? ''),
        ),
      ),
  ],
  [
    'GET',
    /^\/projects\/1\/incidents\/(\d+)$/,
    ([id]) => ({ ...fx.incident, ...fx.incidents.find((i) => String(i.id) === id) }),
  ],
  ['POST', /^\/projects\/1\/incidents\/(\d+)\/(\w+)$/, () => undefined],
  ['GET', /^\/projects\/1\/traces\/(\w+)$/, () => fx.trace],
  ['GET', /^\/projects\/1\/traces\/(\w+)\/profile$/, () => fx.profile],
  ['GET', /^\/projects\/1\/transactions$/, () => page(fx.transactions)],
  ['GET', /^\/projects\/1\/rules$/, () => page(fx.rules)],
  ['GET', /^\/projects\/1\/channels$/, () => page(fx.channels)],
  ['GET', /^\/roles$/, () => page(fx.roles)],
  ['GET', /^\/projects\/2\/(incidents|transactions|rules|channels)$/, () => page([])],
];

const me = { user: { id: 1, name: '관리자', email: 'admin@example.com', system: true } };

export function mockApi(): Plugin {
  return {
    name: 'matrix-mock-api',
    configureServer(server) {
      server.middlewares.use('/api/v1', (req, res) => {
        const url = new URL(req.url ?? '/', 'http://mock');
        const answer = (status: number, body: unknown) => {
          res.statusCode = status;
          res.setHeader('Content-Type', status < 400 ? 'application/json' : 'application/problem+json');
          res.end(body === undefined ? '' : JSON.stringify(body));
        };
        if (!signedIn && url.pathname !== '/session') return answer(401, { title: 'Unauthorized' });
        for (const [method, path, handler] of routes) {
          const match = path.exec(url.pathname);
          if (method === req.method && match) return answer(200, handler(match.slice(1), url.searchParams));
        }
        return answer(404, { title: 'Not Found', detail: `no mock for ${req.method} ${url.pathname}` });
      });
    },
  };
}
