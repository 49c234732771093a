import type { LogRecord } from '../../api/types.ts';

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

/** A table as RFC 4180 has it; attributes as JSON in the last column. */
export function csv(records: LogRecord[]): string {
  const row = (cells: string[]) => `${cells.map(cell).join(',')}\r\n`;
  return (
    row([...COLUMNS, 'attributes']) +
    records.map((r) => row([...COLUMNS.map((name) => r[name] ?? ''), JSON.stringify(r.attributes)])).join('')
  );
}

// A spreadsheet runs what begins like a formula; an apostrophe makes it text.
const cell = (text: string) => {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
};
