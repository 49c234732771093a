import { queryOptions } from '@tanstack/react-query';
import { Problem } from './problem.ts';

type Query = Record<string, string | number | boolean | undefined>;

interface Options {
  query?: Query;
  body?: unknown;
  /** The version being edited: the server refuses when somebody was faster. */
  etag?: string;
  signal?: AbortSignal;
}

let onSignedOut = () => {};

/** What to do when the session has ended: the router sends the reader to the login page and back. */
export function whenSignedOut(handler: () => void) {
  onSignedOut = handler;
}

let onMustEnrol = () => {};

/** What to do when a second factor was demanded meanwhile: the router leads to where it is set up. */
export function whenMustEnrol(handler: () => void) {
  onMustEnrol = handler;
}

export interface Answer<T> {
  data: T;
  etag: string;
}

/** One request to /api/v1 with the session cookie; a refusal is thrown as a Problem. */
export async function send<T>(method: string, path: string, options: Options = {}): Promise<Answer<T>> {
  const headers: Record<string, string> = { Accept: 'application/json' };
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (options.etag) headers['If-Match'] = options.etag;
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}${search(options.query)}`, {
      method,
      headers,
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      credentials: 'same-origin',
      signal: options.signal,
    });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, { detail: error instanceof Error ? error.message : '' });
  }
  if (!response.ok) {
    const body = await response.json().catch(() => ({}));
    const problem = new Problem(response.status, body, Number(response.headers.get('Retry-After')) || 0);
    if (problem.status === 401 && path !== '/session') onSignedOut();
    if (problem.status === 403 && problem.field === 'totp') onMustEnrol();
    throw problem;
  }
  const text = await response.text();
  return { data: (text ? JSON.parse(text) : undefined) as T, etag: response.headers.get('ETag') ?? '' };
}

export const get = async <T>(path: string, query?: Query, signal?: AbortSignal) =>
  (await send<T>('GET', path, { query, signal })).data;

export const post = async <T>(path: string, body?: unknown) => (await send<T>('POST', path, { body })).data;

export const put = async <T>(path: string, body: unknown, etag?: string) =>
  (await send<T>('PUT', path, { body, etag })).data;

export const remove = async <T = void>(path: string, etag?: string) => (await send<T>('DELETE', path, { etag })).data;

/** The whole of a list that is short enough to come in one page. */
export const list = <T>(path: string, key: unknown[]) =>
  queryOptions({
    queryKey: key,
    queryFn: async ({ signal }) => (await get<{ items: T[] }>(path, undefined, signal)).items,
  });

/** The version that was read, so that nobody's edit is lost. */
export const seen = (version: number) => `"v${version}"`;

function search(query: Query = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '' && value !== false) params.set(name, String(value));
  }
  const text = params.toString();
  return text && `?${text}`;
}
