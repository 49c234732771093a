import type { Span } from '../../api/types.ts';

const COLOURS = 8;
const SHAPES = ['square', 'circle', 'diamond'] as const;

export interface Look {
  /** CSS value of the service's colour. */
  colour: string;
  shape: (typeof SHAPES)[number];
}

/** Every service gets a colour, and a shape that still tells it apart where colours do not. */
export function looks(services: string[]): Map<string, Look> {
  return new Map(
    services.map((service, i) => [
      service,
      { colour: `var(--mx-s${(i % COLOURS) + 1})`, shape: SHAPES[i % SHAPES.length] ?? 'square' },
    ]),
  );
}

export type SpanKind = 'sql' | 'store' | 'call' | 'server' | 'message' | 'method';

export function kindOf(span: Span): SpanKind {
  if (span.db) return span.db.tables?.length || span.db.normalized ? 'sql' : 'store';
  if (span.kind === 'server') return 'server';
  if (span.kind === 'client') return 'call';
  if (span.kind === 'producer' || span.kind === 'consumer') return 'message';
  return 'method';
}

/** What a row calls the span: of an entry its endpoint, of SQL the operation and its tables, else its name. */
export function titleOf(span: Span): string {
  if (span.entry && span.operation) return span.operation;
  if (span.db?.tables?.length) return `${span.db.operation} ${span.db.tables.join(', ')}`.trim();
  if (span.http?.url && span.kind === 'client') return `${span.http.method} ${span.peer || span.http.url}`;
  return span.name;
}

export const isError = (span: Span) => span.status === 'error' || span.exception !== null;

/** Round moments for the ruler over a window: at most `most` of them, 1, 2 or 5 times a power of ten ns apart. */
export function ticks(from: number, to: number, most: number): number[] {
  const raw = (to - from) / Math.max(1, most);
  if (raw <= 0) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5, 10].find((m) => m * power >= raw) ?? 10);
  const marks: number[] = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) marks.push(at);
  return marks;
}
