/** The status of what went wrong in the screens themselves: no server was asked. */
const OURS = -1;

/** A refusal of the API (RFC 9457), of the network on the way to it (status 0), or a mistake of a screen (OURS). */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly detail: string;
  /** The input field at fault, when there is one. */
  readonly field: string;
  /** What is wrong with each input field at fault, by the name the API gives it. */
  readonly faults: Readonly<Record<string, string>>;
  /** Names the entry in the server's log when the fault is the server's. */
  readonly id: string;
  /** Seconds to wait, when the server said so. */
  readonly retryAfter: number;

  constructor(status: number, body: Partial<ProblemBody> = {}, retryAfter = 0) {
    super(body.detail || body.error || body.title || `HTTP ${status}`);
    this.name = 'Problem';
    this.status = status;
    this.title = body.title ?? '';
    this.detail = [body.detail ?? body.error, ...(body.violations ?? []).map((v) => `${v.field}: ${v.message}`)]
      .filter(Boolean)
      .join(' · ');
    this.field = body.field ?? '';
    this.faults = Object.fromEntries([
      ...(body.violations ?? []).map((v) => [v.field.replace(/^body\./, ''), v.message]),
      ...(body.field ? [[body.field, body.detail ?? '']] : []),
    ]);
    this.id = body.request_id ?? '';
    this.retryAfter = retryAfter;
  }

  /** The catalogue entry that explains this refusal. */
  get reason(): Reason {
    if (this.status === OURS) return 'broken';
    if (this.status === 0) return 'offline';
    if (this.status === 401) return 'unauthenticated';
    if (this.status === 403) return 'denied';
    if (this.status === 404) return 'not_found';
    // A conflict that names a field is with what exists (a name taken, the last owner), not with another's edit.
    if (this.status === 409 && this.field && this.field !== 'version') return 'refused';
    if (this.status === 409 || this.status === 412) return 'conflict';
    if (this.status === 429) return 'rate_limited';
    if (this.status === 503) return 'unavailable';
    if (this.status >= 500) return 'internal';
    return 'invalid';
  }
}

export type Reason =
  | 'broken'
  | 'offline'
  | 'unauthenticated'
  | 'denied'
  | 'not_found'
  | 'refused'
  | 'conflict'
  | 'rate_limited'
  | 'unavailable'
  | 'internal'
  | 'invalid';

interface ProblemBody {
  title: string;
  detail: string;
  /** What the Prometheus HTTP API says instead of a detail. */
  error: string;
  field: string;
  request_id: string;
  violations: { field: string; message: string }[];
}

export const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem(OURS, { detail: error instanceof Error ? error.message : String(error) });
