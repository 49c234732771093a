// A made-up incident for the tests: the seed's own case, one slow query among
// sixty-odd spans of six services.
import type { Incident, Span } from '../src/api/types.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const MS = 1e6;
const now = Date.now();
const started = now - 7 * 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

const slowSql =
  "SELECT COUNT(1) FROM (WITH step1 AS (SELECT t1.id, t2.order_no FROM test_tb1 t1 JOIN test_tb2 t2 ON t1.id = t2.tb1_id WHERE t2.created_at >= '2025-06-01'), step2 AS (SELECT s.id FROM step1 s JOIN test_tb3 t3 ON t3.step_id = s.id LEFT JOIN test_tb4 t4 ON t4.ref = t3.ref WHERE t4.status IN (1, 2, 3)) SELECT * FROM step2 GROUP BY id HAVING COUNT(*) > 10) x";

let next = 0xa0b1c2d3e4f50000n;
function span(parent: Span | null, at: number, took: number, partial: Partial<Span>): Span {
  next += 0x1111n;
  return {
    span_id: next.toString(16).padStart(16, '0'),
    parent_id: parent?.span_id ?? '',
    service: 'test-api',
    instance: 'prod-test-api-pod-6945c568-2ghw8',
    environment: 'PRODUCTION',
    name: 'span',
    version: '1.14.2',
    operation: '',
    kind: 'internal',
    status: 'unset',
    status_message: '',
    start: iso(started + at),
    start_offset_ns: at * MS,
    duration_ns: took * MS,
    entry: false,
    db: null,
    http: null,
    rpc: '',
    messaging: '',
    peer: '',
    exception: null,
    attributes: { 'thread.name': 'http-nio-8080-exec-7', 'thread.id': '41' },
    resource: {
      'service.name': partial.service ?? 'test-api',
      'service.version': '1.14.2',
      'deployment.environment.name': 'PRODUCTION',
      'k8s.pod.name': 'prod-test-api-pod-6945c568-2ghw8',
      'telemetry.sdk.language': 'java',
    },
    events: [],
    links: [],
    dropped: 0,
    ...partial,
  };
}

const sql = (parent: Span, at: number, took: number, statement: string, tables: string[]) =>
  span(parent, at, took, {
    name: `SELECT real_db.${tables[0]}`,
    kind: 'client',
    peer: 'real-database-url.com:3306',
    db: {
      system: 'mysql',
      name: 'real_db',
      operation: 'SELECT',
      statement,
      normalized: statement,
      tables,
      hash: '5f1d',
      joins: 0,
      kinds: ['SELECT'],
      rows: 0,
      statement_name: '',
    },
    attributes: {
      'db.system': 'mysql',
      'db.name': 'real_db',
      'server.address': 'real-database-url.com',
      'server.port': '3306',
    },
  });

const web = span(null, 0, 11402, {
  service: 'shop-web',
  name: 'GET /v1/api/test',
  kind: 'server',
  entry: true,
  http: { method: 'GET', route: '/v1/api/test', status: 200, url: 'https://shop.example.com/v1/api/test?page=3' },
});
const gateway = span(web, 9, 11380, {
  service: 'gateway',
  name: 'HTTP GET',
  kind: 'client',
  peer: 'test-api:8080',
  http: { method: 'GET', route: '', status: 200, url: 'http://test-api:8080/v1/api/test' },
});
const entry = span(gateway, 22, 11354, {
  name: 'GET /v1/api/test',
  kind: 'server',
  entry: true,
  http: { method: 'GET', route: '/v1/api/test', status: 200, url: 'http://test-api:8080/v1/api/test' },
});
const controller = span(entry, 24, 11349, { name: 'TestController.history' });
const service = span(controller, 38, 11330, { name: 'TestService.selectTotalHistory' });
export const slow = sql(service, 66, 8003, slowSql, ['test_tb1', 'test_tb2', 'test_tb3', 'test_tb4']);
const second = sql(service, 8075, 3290, 'SELECT * FROM test_tb2 WHERE tb1_id IN (?) ORDER BY created_at DESC', [
  'test_tb2',
]);
const pay = span(service, 11366, 0.4, {
  name: 'GET',
  kind: 'client',
  peer: 'api.partner.example.com:443',
  status: 'error',
  status_message: 'connection reset',
  http: { method: 'GET', route: '', status: 0, url: 'https://api.partner.example.com/v2/rates' },
  exception: {
    type: 'java.net.SocketException',
    message: 'Connection reset',
    stacktrace:
      'java.net.SocketException: Connection reset\n\tat java.base/sun.nio.ch.NioSocketImpl.implRead(NioSocketImpl.java:318)\n\tat com.example.test.RateClient.fetch(RateClient.java:42)',
  },
  events: [
    {
      offset_ns: 0.3 * MS,
      name: 'exception',
      attributes: { 'exception.type': 'java.net.SocketException', 'exception.message': 'Connection reset' },
    },
  ],
});
const rows = Array.from({ length: 42 }, (_, i) =>
  sql(second, 8080 + i * 70, 38 + (i % 7) * 4, 'SELECT state FROM test_item WHERE item_id = ?', ['test_item']),
);
const fact = (
  id: string,
  kind: string,
  text: string,
  s: Span | null,
  step: number,
  values: [string, string, string?, string?][],
) => ({
  id,
  kind,
  text,
  trace_id: s ? TRACE : undefined,
  span_id: s?.span_id,
  step: step || undefined,
  values: values.map(([name, value, unit, cls]) => ({ name, value, unit, class: cls })),
});

export const incident: Incident = {
  id: 128,
  project_id: 1,
  state: 'open',
  title: 'SQL 응답시간 8000 ms 이상 · test-api',
  acknowledged_by: '',
  assignee_id: 0,
  assignee: '',
  parent_id: 0,
  parent_kind: '',
  told: true,
  silence_id: 0,
  reopened: 0,
  flapping: false,
  children: [],
  rule: { id: 1, name: 'SlowSQL 알람', kind: 'slow_sql' },
  service: 'test-api',
  phase: 'PRODUCTION',
  subject: '',
  severity: 'critical',
  owner: 'payments',
  runbook: '',
  labels: {},
  opened_at: iso(started),
  last_match_at: iso(now),
  resolved_at: null,
  resolved_by: '',
  acknowledged_at: null,
  matches: 3,
  instances: [
    { name: 'prod-test-api-pod-6945c568-2ghw8', count: 2 },
    { name: 'prod-test-api-pod-6945c568-x81kq', count: 1 },
  ],
  analysis: 'done',
  alarm:
    '[MATRIX-APM]\nPhase: PRODUCTION\ntest-api(TEST-PROJECT)\nRule Name: SlowSQL 알람\n[SQL Response time >= 8000 ms] occurred 3 times.\n[2026-11-23 14:03 ~ 2026-11-23 14:13]\n[prod-test-api-pod-6945c568-2ghw8: 2 times]\n[prod-test-api-pod-6945c568-x81kq: 1 times]',
  report: {
    language: 'ko',
    source: 'model',
    reason: '',
    role: 'agent-alert-analyzer',
    confidence: 'high',
    role_version: 3,
    provider: 'openai',
    model: 'gpt-5-mini',
    call_id: 'c_01JD',
    created_at: iso(now - 6 * 60_000),
    summary: {
      text: 'test-api의 특정 SQL 쿼리가 8003ms의 응답시간을 기록하였습니다. 전체 요청 응답시간은 11354ms로, 대부분의 시간이 SQL 실행에 소요된 것으로 나타납니다.',
      evidence: ['E1', 'E2', 'E4'],
    },
    transaction: [
      { text: 'URL: /v1/api/test<GET>', evidence: ['E2'] },
      { text: '인스턴스: prod-test-api-pod-6945c568-2ghw8', evidence: ['E2'] },
      { text: '총 응답시간: 11354ms, SQL 실행시간: 11327ms', evidence: ['E2'] },
    ],
    analysis: [
      {
        text: '인덱스 11의 SQL 쿼리 (SELECT COUNT(1) ... WITH step1 AS ...)에서 8003ms가 소요되어, 전체 응답시간에 심각한 영향을 주고 있습니다.',
        evidence: ['E4'],
      },
      {
        text: '해당 쿼리는 test_tb1, test_tb2, test_tb3, test_tb4 등 여러 테이블에 대한 SELECT 및 JOIN 연산을 포함하고 있습니다.',
        evidence: ['E4'],
      },
      { text: '평소 이 트랜잭션의 SQL 실행시간은 412ms였으며, 지금은 그 27.5배입니다.', evidence: ['E7', 'E5'] },
    ],
    actions: [
      {
        text: '해당 SQL 쿼리의 실행 계획(EXPLAIN PLAN)을 확인하여 인덱스 사용 및 JOIN 순서를 최적화합니다.',
        evidence: ['E4'],
      },
      { text: 'test_item 테이블을 42회 반복 조회하는 부분을 한 번의 조회로 묶는 방안을 검토합니다.', evidence: ['E5'] },
      { text: 'DB 리소스 모니터링과 함께 필요시 캐싱 전략이나 쿼리 리팩토링을 검토해 주세요.', evidence: ['E4', 'E6'] },
    ],
  },
  evidence: [
    fact('E1', 'alarm', 'SQL response time >= 8000 ms occurred 3 times in 10 min', null, 0, [
      ['service', 'test-api'],
      ['phase', 'PRODUCTION'],
      ['rule', 'SlowSQL 알람'],
      ['threshold', '8000', 'ms'],
      ['count', '3', 'count'],
      ['window', '10', 'min'],
    ]),
    fact('E2', 'transaction', 'GET /v1/api/test took 11354 ms, of which SQL 11327 ms in 47 statements', entry, 0, [
      ['endpoint', 'GET /v1/api/test'],
      ['url', 'http://test-api:8080/v1/api/test', '', 'url'],
      ['elapsed', '11354', 'ms'],
      ['sql_count', '47', 'count'],
      ['sql_time', '11327', 'ms'],
      ['call_count', '2', 'count'],
      ['instance', 'prod-test-api-pod-6945c568-2ghw8'],
    ]),
    fact('E3', 'step', 'step 8 TestService.selectTotalHistory took 11330 ms, itself 2 ms', service, 6, [
      ['name', 'TestService.selectTotalHistory'],
      ['elapsed', '11330', 'ms'],
      ['self', '2', 'ms'],
      ['share', '99.8', 'percent'],
    ]),
    fact('E4', 'statement', `step 11 SELECT took 8003 ms (70.5 % of the transaction): ${slowSql}`, slow, 10, [
      ['operation', 'SELECT'],
      ['table', 'test_tb1', '', 'table'],
      ['table', 'test_tb2', '', 'table'],
      ['table', 'test_tb3', '', 'table'],
      ['table', 'test_tb4', '', 'table'],
      ['database', 'real_db', '', 'database'],
      ['system', 'mysql'],
      ['address', 'real-database-url.com:3306', '', 'host'],
      ['sql', slowSql],
      ['literal', "'2025-06-01'", '', 'literal'],
      ['elapsed', '8003', 'ms'],
      ['share', '70.5', 'percent'],
    ]),
    fact('E5', 'statement', 'SELECT on test_item ran 42 times, 2016 ms together', rows[0] ?? null, 12, [
      ['operation', 'SELECT'],
      ['table', 'test_item', '', 'table'],
      ['sql', 'SELECT state FROM test_item WHERE item_id = ?'],
      ['calls', '42', 'count'],
      ['total', '2016', 'ms'],
    ]),
    fact('E6', 'exception', 'java.net.SocketException: Connection reset', pay, 55, [
      ['type', 'java.net.SocketException'],
      ['message', 'Connection reset'],
      ['service', 'test-api'],
    ]),
    fact('E7', 'comparison', 'SQL time 11327 ms against usually 412 ms (24 h ago, 1840 samples)', null, 0, [
      ['metric', 'sql_time'],
      ['now', '11327', 'ms'],
      ['usual', '412', 'ms'],
      ['ratio', '27.5', 'ratio'],
      ['samples', '1840', 'count'],
      ['when', '24h'],
    ]),
  ],
  timeline: [
    { id: 1, incident_id: 1, at: iso(now - 7 * 60_000), kind: 'opened', data: { matches: 1 } },
    { id: 2, incident_id: 1, at: iso(now - 6.9 * 60_000), kind: 'analysis_started', data: {} },
    {
      id: 3,
      incident_id: 1,
      at: iso(now - 6.7 * 60_000),
      kind: 'analyzed',
      data: { source: 'model', model: 'gpt-5-mini', provider: 'openai' },
    },
    { id: 4, incident_id: 1, at: iso(now - 3 * 60_000), kind: 'matched', data: { matches: 2 } },
  ],
  investigation: null,
  masking: {
    counts: [
      { class: 'table', count: 5 },
      { class: 'host', count: 1 },
      { class: 'database', count: 1 },
      { class: 'url', count: 1 },
      { class: 'literal', count: 4 },
    ],
    tokens: [
      { class: 'host', token: 'xcu2t3cc3xz', value: 'real-database-url.com' },
      { class: 'database', token: 'c4ysd', value: 'real_db' },
      { class: 'table', token: 'qpt_mn1', value: 'test_tb1' },
      { class: 'table', token: 'wkz_rr2', value: 'test_tb2' },
      { class: 'table', token: 'aen_xo3', value: 'test_tb3' },
      { class: 'table', token: 'uyl_bd4', value: 'test_tb4' },
      { class: 'url', token: 'http://vbq8wz2p:8080/k2/q9a/zzpt', value: 'http://test-api:8080/v1/api/test' },
      { class: 'literal', token: "'7301-44-19'", value: "'2025-06-01'" },
    ],
  },
  deliveries: [
    {
      id: 1,
      project_id: 1,
      channel_id: 1,
      subject: 'SlowSQL · order-api',
      created_at: iso(now - 7 * 60_000),
      log: [],
      message: 'incident.alarm',
      target: 'console',
      kind: 'console',
      state: 'delivered',
      attempts: 1,
      at: iso(now - 6.9 * 60_000),
      error: '',
    },
    {
      id: 2,
      project_id: 1,
      channel_id: 2,
      subject: 'SlowSQL · order-api',
      created_at: iso(now - 7 * 60_000),
      log: [],
      message: 'incident.alarm',
      target: 'ops-slack',
      kind: 'slack',
      state: 'delivered',
      attempts: 2,
      at: iso(now - 6.6 * 60_000),
      error: '',
    },
    {
      id: 3,
      project_id: 1,
      channel_id: 3,
      subject: 'SlowSQL · order-api',
      created_at: iso(now - 7 * 60_000),
      log: [],
      message: 'incident.report',
      target: 'pager',
      kind: 'webhook',
      state: 'pending',
      attempts: 4,
      at: iso(now - 2 * 60_000),
      error: 'connect: connection refused',
    },
  ],
};
