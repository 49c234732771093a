import type { LogRecord } from '../../api/types.ts';
import { csv } from '../../format/csv.ts';

/** One JSON object a line. */
export const ndjson = (records: LogRecord[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('');

const COLUMNS = [
  'time',
  'level',
  'service',
  'environment',
  'instance',
  'version',
  'logger',
  'trace_id',
  'span_id',
  'body',
] as const;

/** A table; attributes as JSON in the last column. */
export const table = (records: LogRecord[]): string =>
  csv([
    [...COLUMNS, 'attributes'],
    ...records.map((r) => [...COLUMNS.map((name) => r[name] ?? ''), JSON.stringify(r.attributes)]),
  ]);
