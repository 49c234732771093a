import { afterEach, describe, expect, it, vi } from 'vitest';
import { get, put, send, whenSignedOut } from './client.ts';
import { asProblem, type Problem } from './problem.ts';
import { mayAdmin, mayGive, mayOwn, projectsOf } from './session.ts';

const answer = (status: number, body?: unknown, headers: Record<string, string> = {}) => {
  const fetch = vi.fn(
    async (_url: string, _init: RequestInit) =>
      new Response(body === undefined ? null : JSON.stringify(body), { status, headers }),
  );
  vi.stubGlobal('fetch', fetch);
  return fetch;
};
const refused = async (work: Promise<unknown>): Promise<Problem> => {
  try {
    await work;
  } catch (error) {
    return asProblem(error);
  }
  throw new Error('was not refused');
};

afterEach(() => {
  vi.unstubAllGlobals();
  whenSignedOut(() => {});
});

describe('a request', () => {
  it('leaves absent parameters out of the address', async () => {
    const fetch = answer(200, { items: [] });
    await get('/x', { a: 1, b: undefined, c: '', d: false, e: 'a b' });
    expect(fetch.mock.calls[0]?.[0]).toBe('/api/v1/x?a=1&e=a+b');
  });

  it('says which version it edits', async () => {
    const fetch = answer(200, {});
    await put('/x', { a: 1 }, '"v3"');
    expect(fetch.mock.calls[0]?.[1]).toMatchObject({
      method: 'PUT',
      body: '{"a":1}',
      headers: { 'If-Match': '"v3"', 'Content-Type': 'application/json' },
    });
  });

  it('accepts an answer without a body', async () => {
    answer(204);
    expect((await send('DELETE', '/x')).data).toBeUndefined();
  });
});

describe('a refusal', () => {
  it('carries what the server says about it', async () => {
    answer(422, {
      title: 'Unprocessable Entity',
      detail: 'the name is taken',
      violations: [{ field: 'name', message: 'taken' }],
      request_id: 'r1',
    });
    const problem = await refused(get('/x'));
    expect(problem).toMatchObject({
      status: 422,
      reason: 'invalid',
      detail: 'the name is taken · name: taken',
      id: 'r1',
    });
  });

  it.each([
    [401, 'unauthenticated'],
    [403, 'denied'],
    [404, 'not_found'],
    [409, 'conflict'],
    [412, 'conflict'],
    [429, 'rate_limited'],
    [500, 'internal'],
    [503, 'unavailable'],
  ])('with status %d is told as %s', async (status, reason) => {
    answer(status, {});
    expect((await refused(get('/x'))).reason).toBe(reason);
  });

  it('of the network is told as being offline', async () => {
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('Failed to fetch')));
    expect((await refused(get('/x'))).reason).toBe('offline');
  });

  it('by what exists already is not told as an edit that was overtaken', async () => {
    answer(409, { detail: 'a group of this name exists already', field: 'name' });
    expect((await refused(get('/x'))).reason).toBe('refused');
    answer(409, { field: 'version' });
    expect((await refused(get('/x'))).reason).toBe('conflict');
  });

  it('is not what a mistake of a screen is told as', async () => {
    const problem = await refused(Promise.reject(new TypeError('x is undefined')));
    expect(problem).toMatchObject({ reason: 'broken', detail: 'x is undefined' });
  });

  it('of a proxy that speaks no JSON is a refusal all the same', async () => {
    vi.stubGlobal('fetch', async () => new Response('<html>', { status: 502 }));
    expect((await refused(get('/x'))).reason).toBe('internal');
  });

  it('because the session ended leads to the login, but a wrong password does not', async () => {
    const signedOut = vi.fn();
    whenSignedOut(signedOut);
    answer(401, {});
    await refused(send('POST', '/session'));
    expect(signedOut).not.toHaveBeenCalled();
    await refused(get('/me'));
    expect(signedOut).toHaveBeenCalledOnce();
  });
});

const HELD: Record<string, string[]> = {
  owner: ['org.admin', 'org.owner', 'group.admin', 'project.admin', 'project.write', 'project.read'],
  admin: ['org.admin', 'group.admin', 'project.admin', 'project.write', 'project.read'],
  editor: ['project.write', 'project.read'],
  viewer: ['project.read'],
};
const access = (org_id: number, group_id: number, role: string) => ({ org_id, group_id, permissions: HELD[role] });

describe('the projects of a reader', () => {
  it('carry what the reader is there', () => {
    const project = (id: number, org: number, group: number) => ({ id, org_id: org, group_id: group, name: `p${id}` });
    const me = {
      access: [access(1, 0, 'viewer'), access(1, 7, 'admin'), access(1, 9, 'viewer'), access(2, 8, 'owner')],
      orgs: [{ id: 1, name: 'one' }],
      projects: [project(1, 1, 7), project(2, 1, 9), project(3, 2, 9)],
    };
    expect(projectsOf(me as never).map((p) => [p.id, p.org_name, p.role])).toEqual([
      [1, 'one', 'admin'],
      [2, 'one', 'viewer'],
      [3, '', 'viewer'], // visible to the organisation
    ]);
  });
});

describe('what a reader may change', () => {
  const me = (system: boolean, ...roles: [org: number, group: number, role: string][]) =>
    ({
      user: { system },
      access: roles.map(([org, group, role]) => access(org, group, role)),
      orgs: [
        { id: 1, kind: 'team' },
        { id: 2, kind: 'personal' },
      ],
    }) as never;

  it('in a group takes a role there', () => {
    expect(mayAdmin(me(false, [1, 7, 'admin']), 1, 7)).toBe(true);
    expect(mayAdmin(me(false, [1, 7, 'admin']), 1, 0)).toBe(false);
    expect(mayAdmin(me(false, [1, 7, 'editor']), 1, 7)).toBe(false);
  });

  it('as a system administrator is every team, and nobody else’s own organisation', () => {
    expect(mayAdmin(me(true), 1, 0)).toBe(true);
    expect(mayAdmin(me(true), 2, 0)).toBe(false);
  });

  it('does not include the owners unless it is one', () => {
    expect(mayOwn(me(false, [1, 0, 'admin']), 1, 0)).toBe(false);
    expect(mayOwn(me(false, [1, 0, 'owner']), 1, 0)).toBe(true);
    expect(mayOwn(me(true), 1, 0)).toBe(true);
  });

  it('is never given by who lacks it', () => {
    expect(mayGive(me(false, [1, 0, 'editor']), 1, 0, ['project.read'])).toBe(true);
    expect(mayGive(me(false, [1, 0, 'editor']), 1, 0, ['project.read', 'org.admin'])).toBe(false);
    expect(mayGive(me(true), 1, 0, ['org.admin'])).toBe(true);
  });
});
