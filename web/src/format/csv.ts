/** A table as RFC 4180 has it. */
export const csv = (rows: (string | number)[][]): string =>
  rows.map((cells) => `${cells.map((each) => (typeof each === 'number' ? each : cell(each))).join(',')}\r\n`).join('');

// A spreadsheet runs what begins like a formula; an apostrophe makes it text.
const cell = (text: string) => {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
};
