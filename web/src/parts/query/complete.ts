import { terms, writable, write } from './language.ts';

/** A field that can be asked for, with values it has. */
export interface Known {
  field: string;
  values: { value: string; count: number }[];
  /** How it goes on, such as ">2s"; with ":" when absent. */
  example?: string;
}

export interface Offer {
  /** What the offer takes the place of. */
  from: number;
  to: number;
  text: string;
  /** How many records have the value; absent for a field. */
  count?: number;
  /** A field as it could be written. */
  example?: string;
}

const MOST = 12;

/** What could be written where the caret stands: a field's name, or one of its values. */
export function suggest(text: string, caret: number, known: Known[]): Offer[] {
  const term = terms(text).find((t) => t.from <= caret && caret <= t.to);
  if (!term) return fields('', caret, caret, known);
  const not = text[term.from] === '-';
  if (term.op && caret >= term.valueFrom) {
    const typed = text.slice(term.valueFrom, caret).replace(/^"/, '').toLowerCase();
    const values = known.find((k) => k.field === term.field || k.field === `attr.${term.field}`)?.values ?? [];
    return values
      .filter(({ value }) => value.toLowerCase().includes(typed) && value !== term.value)
      .slice(0, MOST)
      .map(({ value, count }) => ({
        from: term.valueFrom,
        to: term.to,
        text: write('', value).slice(1),
        count,
      }));
  }
  const from = term.from + (not ? 1 : 0);
  return term.op || text[from] === '"' ? [] : fields(text.slice(from, caret), from, term.to, known);
}

function fields(typed: string, from: number, to: number, known: Known[]): Offer[] {
  const low = typed.toLowerCase();
  const begins = (field: string) => field.startsWith(low) || field.startsWith(`attr.${low}`);
  return known
    .filter(({ field }) => writable(field) && field.toLowerCase().includes(low))
    .sort((a, b) => Number(begins(b.field.toLowerCase())) - Number(begins(a.field.toLowerCase())))
    .slice(0, MOST)
    .map(({ field, example }) => ({
      from,
      to,
      text: field + (example === undefined ? ':' : (/^[:=~<>]+/.exec(example)?.[0] ?? '')),
      example: example && field + example,
    }));
}
