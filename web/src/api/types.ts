// What the API answers, as the contract of internal/api states it. Times are
// RFC 3339, durations are nanoseconds, span ids 16 and trace ids 32 hex digits.

export interface Page<T> {
  items: T[];
  next_cursor: string;
  total: number;
}

export type { Key, Me, Member, NewKey, NewToken, Setup, Token } from './schema.d.ts';

export type MemberRole = 'owner' | 'admin' | 'editor' | 'viewer';

export interface IncidentSummary {
  id: number;
  project_id: number;
  state: 'open' | 'resolved';
  acknowledged_by: string;
  title: string;
  rule: { id: number; name: string; kind: string };
  service: string;
  phase: string;
  opened_at: string;
  last_match_at: string;
  resolved_at: string | null;
  resolved_by: string;
  matches: number;
  instances: { name: string; count: number }[] | null;
  analysis: 'pending' | 'running' | 'done' | 'failed';
}

export interface Point {
  text: string;
  evidence: string[] | null;
}

export interface Report {
  language: 'ko' | 'en';
  source: 'model' | 'rules';
  reason: string;
  role: string;
  role_version: number;
  provider: string;
  model: string;
  call_id: string;
  summary: Point;
  transaction: Point[] | null;
  analysis: Point[] | null;
  actions: Point[] | null;
  created_at: string;
}

export interface FactValue {
  name: string;
  value: string;
  unit?: string;
  class?: string;
}

export interface Fact {
  id: string;
  kind: string;
  text: string;
  trace_id?: string;
  span_id?: string;
  step?: number;
  values: FactValue[] | null;
}

export interface TimelineEntry {
  at: string;
  kind: string;
  data: Record<string, unknown> | null;
}

export interface Delivery {
  message: string;
  target: string;
  kind: string;
  state: string;
  attempts: number;
  at: string | null;
  error: string;
}

export interface Incident extends IncidentSummary {
  alarm: string;
  report: Report | null;
  evidence: Fact[] | null;
  timeline: TimelineEntry[] | null;
  masking: {
    counts: { class: string; count: number }[] | null;
    tokens: { class: string; token: string; value: string }[] | null;
  } | null;
  deliveries: Delivery[] | null;
}

export interface Exception {
  type: string;
  message: string;
  stacktrace?: string;
}

export interface Span {
  span_id: string;
  parent_id: string;
  service: string;
  instance: string;
  environment: string;
  version: string;
  name: string;
  operation: string;
  kind: 'server' | 'client' | 'internal' | 'producer' | 'consumer' | '';
  status: 'unset' | 'ok' | 'error';
  status_message: string;
  start: string;
  start_offset_ns: number;
  duration_ns: number;
  entry: boolean;
  db: {
    system: string;
    name: string;
    operation: string;
    statement: string;
    normalized: string;
    tables: string[] | null;
  } | null;
  http: { method: string; route: string; status: number; url: string } | null;
  rpc: string;
  messaging: string;
  peer: string;
  exception: Exception | null;
  attributes: Record<string, unknown> | null;
  resource: Record<string, unknown> | null;
  events: { offset_ns: number; name: string; attributes: Record<string, unknown> | null }[] | null;
  dropped: number;
}

export interface Trace {
  trace_id: string;
  start: string;
  duration_ns: number;
  services: string[] | null;
  spans: Span[];
  truncated: boolean;
}

export interface Transaction {
  trace_id: string;
  span_id: string;
  service: string;
  environment: string;
  instance: string;
  endpoint: string;
  start: string;
  elapsed_ns: number;
  error: boolean;
  http_status: number;
  exception: string;
  version: string;
  sql_count: number;
  sql_ns: number;
  sql_rows: number;
  call_count: number;
  call_ns: number;
}

export interface Step {
  index: number;
  span_id: string;
  parent_index: number;
  depth: number;
  kind: 'method' | 'sql' | 'call' | 'exception' | 'wait' | 'message';
  name: string;
  service: string;
  instance: string;
  offset_ns: number;
  elapsed_ns: number;
  self_ns: number;
  gap_ns: number;
  tail_ns: number;
  code: string;
  error: boolean;
  statement?: { system: string; name?: string; text: string; operation: string; tables: string[] | null } | null;
  raw_statement?: string;
  database?: string;
  rows?: number;
  address?: string;
  url?: string;
  method?: string;
  status?: number;
  rpc?: string;
  exception?: Exception | null;
  remotes?:
    | { span_id: string; service: string; instance: string; endpoint: string; elapsed_ns: number; error: boolean }[]
    | null;
}

export interface Profile {
  transaction: Transaction;
  steps: Step[];
  truncated: boolean;
}

export interface RuleEdit {
  name: string;
  kind: string;
  enabled: boolean;
  service: string;
  environment: string;
  threshold_ms: number;
  count: number;
  window_minutes: number;
  quiet_minutes: number;
  channels: number[] | null;
}

export interface Rule extends RuleEdit {
  id: number;
  version: number;
  updated_at: string;
  updated_by: string;
}

export interface ChannelEdit {
  kind: string;
  name: string;
  enabled: boolean;
  config: Record<string, unknown>;
}

export interface Channel extends ChannelEdit {
  id: number;
  version: number;
  updated_at: string;
  updated_by: string;
}

export interface Role {
  code: string;
  version: number;
  description: string;
  system_message: string;
  chain: { provider: string; model: string; timeout_ms: number }[] | null;
  parameters: { temperature?: number | null; top_p?: number | null; max_tokens?: number | null };
  response_format: unknown;
  rate_limit_interval_ms: number;
  updated_at: string;
  updated_by: string;
}
