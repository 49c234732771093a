import { expect } from '@playwright/test';

const need = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run these tests through test/e2e (make test)`);
  return value;
};

/** A span to send; times are ms after the trace's start. */
export interface Sent {
  id: number;
  parent?: number;
  service: string;
  name: string;
  /** 1 internal, 2 server, 3 client. */
  kind?: number;
  from: number;
  took: number;
  error?: string;
  attributes?: Record<string, string>;
  links?: { trace: string; span: number }[];
}

export const spanId = (id: number) => id.toString(16).padStart(16, '0');

/** A trace id that no other test has used. */
export const freshTrace = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

const pairs = (attributes: Record<string, string>) =>
  Object.entries(attributes).map(([key, stringValue]) => ({ key, value: { stringValue } }));

/** Sends the spans of one trace as an OpenTelemetry SDK would, over OTLP/HTTP in JSON. */
export async function send(trace: string, start: number, spans: Sent[]) {
  const nano = (ms: number) => `${BigInt(start) * 1_000_000n + BigInt(Math.round(ms * 1e6))}`;
  const resourceSpans = [...new Set(spans.map((s) => s.service))].map((service) => ({
    resource: { attributes: pairs({ 'service.name': service, 'service.instance.id': `${service}-1` }) },
    scopeSpans: [
      {
        spans: spans
          .filter((s) => s.service === service)
          .map((s) => ({
            traceId: trace,
            spanId: spanId(s.id),
            parentSpanId: s.parent === undefined ? '' : spanId(s.parent),
            name: s.name,
            kind: s.kind ?? 1,
            startTimeUnixNano: nano(s.from),
            endTimeUnixNano: nano(s.from + s.took),
            attributes: pairs(s.attributes ?? {}),
            links: s.links?.map((l) => ({ traceId: l.trace, spanId: spanId(l.span), attributes: [] })),
            status: s.error ? { code: 2, message: s.error } : {},
          })),
      },
    ],
  }));
  await sendRaw({ resourceSpans });
}

/** A metric to send: a counter, or a gauge, with a value for each of its last minutes. */
export interface SentMetric {
  service: string;
  name: string;
  unit: string;
  description: string;
  counter?: boolean;
  attributes: Record<string, string>;
  values: number[];
}

/** Sends metrics whose last values are those of now. */
export async function sendMetrics(metrics: SentMetric[]) {
  const nano = (minutesAgo: number) => `${BigInt(Date.now() - minutesAgo * 60_000) * 1_000_000n}`;
  const resourceMetrics = metrics.map((m) => {
    const dataPoints = m.values.map((asDouble, i) => ({
      startTimeUnixNano: nano(m.values.length),
      timeUnixNano: nano(m.values.length - 1 - i),
      asDouble,
      attributes: pairs(m.attributes),
    }));
    const { name, unit, description } = m;
    const kind = m.counter
      ? { sum: { dataPoints, isMonotonic: true, aggregationTemporality: 2 } }
      : { gauge: { dataPoints } };
    return {
      resource: { attributes: pairs({ 'service.name': m.service, 'service.instance.id': `${m.service}-1` }) },
      scopeMetrics: [{ metrics: [{ name, unit, description, ...kind }] }],
    };
  });
  await sendRaw({ resourceMetrics }, 'metrics');
}

/** Sends a body of OTLP/HTTP in JSON. */
export async function sendRaw(body: unknown, signal: 'traces' | 'metrics' = 'traces') {
  const answer = await fetch(`${need('MATRIX_OTLP')}/v1/${signal}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${need('MATRIX_KEY')}` },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.text()).toBe(200);
}
