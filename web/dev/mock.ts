// Answers the API from fixtures while `MATRIX_MOCK=1 npm run dev` runs. Only
// for work on the looks: the browser tests run against the real binary.
import type { Plugin } from 'vite';
import * as fx from './fixtures.ts';

type Handler = (path: string[], query: URLSearchParams) => unknown;

let signedIn = process.env.MATRIX_MOCK !== 'login';
const page = (items: unknown[]) => ({ items, next_cursor: '', total: items.length });
const project = (id: number, name: string) => ({
  id,
  name,
  org_id: id,
  group_id: id,
  language: 'ko',
  retention_days: 14,
  span_rate: 0,
  version: 1,
  created_at: new Date(0).toISOString(),
});
const me = {
  user: { id: 1, name: '관리자', email: 'admin@example.com', system: true, disabled: false, version: 1 },
  memberships: [
    { org_id: 1, group_id: 0, user_id: 1, role: 'admin' },
    { org_id: 2, group_id: 0, user_id: 1, role: 'viewer' },
  ],
  orgs: [
    { id: 1, name: 'Kakao', kind: 'team' },
    { id: 2, name: '결제', kind: 'team' },
  ],
  projects: [project(1, 'TEST-PROJECT'), project(2, 'order')],
};
const days = (n: number) => new Date(Date.now() - n * 86_400_000).toISOString();
const org = (o: { id: number; name: string; kind: string }) => ({ ...o, version: 1, created_at: days(30) });
const key = (id: number, name: string, revoked: boolean) => ({
  id,
  name,
  project_id: 1,
  hint: 'mtx_ing_8fK2',
  created_at: days(id * 3),
  created_by: 1,
  last_used_at: revoked ? null : new Date(Date.now() - 30_000).toISOString(),
  revoked_at: revoked ? days(1) : null,
});
const member = (id: number, name: string, role: string, group: number) => ({
  user_id: id,
  name,
  email: `user${id}@example.com`,
  role,
  group_id: group,
  org_id: 1,
  created_at: days(id),
});

const routes: [string, RegExp, Handler][] = [
  [
    'POST',
    /^\/session$/,
    () => {
      signedIn = true;
      return me.user;
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
  [
    'GET',
    /^\/projects\/\d+\/setup$/,
    () => ({
      otlp_http: 'http://127.0.0.1:4318',
      otlp_grpc: 'http://127.0.0.1:4317',
      header: 'x-matrix-key=<key>',
      key_free: false,
      keys: [key(1, 'default', false)],
    }),
  ],
  ['GET', /^\/projects\/1\/keys$/, () => page([key(1, 'default', false), key(2, 'old', true)])],
  [
    'POST',
    /^\/projects\/1\/keys$/,
    () => ({ ...key(3, 'new', false), secret: 'mtx_ing_8fK2mQ9xT4vW7zB1nR5sL0pD3gH6jY' }),
  ],
  ['GET', /^\/orgs\/\d+\/members$/, () => page([member(1, '관리자', 'owner', 0)])],
  ['GET', /^\/groups\/\d+\/members$/, () => page([member(2, '이서연', 'editor', 1), member(3, '김민준', 'viewer', 1)])],
  ['GET', /^\/projects\/([12])$/, ([id]) => me.projects.find((p) => String(p.id) === id)],
  [
    'GET',
    /^\/projects\/1\/rules\/(\d+)\/history$/,
    ([id]) =>
      page(
        fx.rules
          .filter((r) => String(r.id) === id)
          .map((rule) => ({ version: 1, at: rule.updated_at, author: rule.updated_by, action: 'created', rule })),
      ),
  ],
  ['GET', /^\/orgs$/, () => page(me.orgs.map(org))],
  ['GET', /^\/orgs\/([12])$/, ([id]) => me.orgs.map(org).find((o) => String(o.id) === id)],
  ['GET', /^\/orgs\/([12])\/groups$/, ([id]) => page([org({ id: Number(id), name: 'default', kind: '' })])],
  ['GET', /^\/groups\/([12])\/projects$/, ([id]) => page(me.projects.filter((p) => String(p.group_id) === id))],
  ['GET', /^\/users$/, () => page([{ ...me.user, created_at: days(9) }])],
  ['GET', /^\/tokens$/, () => page([])],
  ['GET', /^\/projects\/\d+\/home$/, () => ({ receiving: false, enabled_rules: 1, transactions: 0 })],
  ['GET', /^\/channel-kinds$/, () => ({ kinds: ['console', 'slack', 'webhook'] })],
  ['GET', /^\/roles$/, () => page(fx.roles)],
  ['GET', /^\/projects\/2\/(incidents|transactions|rules|channels)$/, () => page([])],
];

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
