// The query language of the search fields (internal/search), as far as a screen
// has to know it: to mark words, to complete, to add and take away terms. The
// server alone says what is right.

/** A condition: a word, a phrase, or a field with an operator and a value. */
export interface Term {
  /** Where it stands in the query, with its minus. */
  from: number;
  to: number;
  /** Its opposite is asked for. */
  not: boolean;
  field: string;
  /** "" for words and phrases. */
  op: string;
  /** Several are as they are written. */
  value: string;
  /** Where the value starts. */
  valueFrom: number;
}

const FIELD = /[\p{L}\p{Nd}._\-/@]+/uy;
const OPERATOR = /:?(?:!~|!=|<=|>=|=|~|<|>)|:/y;
const QUOTED = /"((?:\\["\\]|[^"])*)("|$)/y;
const ONE = String.raw`(?:"(?:\\["\\]|[^"])*"|[^\s",()]+)`;
const SEVERAL = new RegExp(`${ONE}(?:,${ONE})+`, 'uy');
const PLAIN = /[\p{L}\p{Nd}._\-/@#+;%&$]+/uy;

const match = (pattern: RegExp, text: string, at: number): RegExpExecArray | null => {
  pattern.lastIndex = at;
  return pattern.exec(text);
};

/** The terms of a query, also of one that is not finished. */
export function terms(text: string): Term[] {
  const found: Term[] = [];
  const groups: boolean[] = [];
  let not = false;
  let start = -1;
  for (let at = 0; at < text.length; ) {
    const c = text[at] ?? '';
    if (/\s/.test(c)) {
      at++;
      continue;
    }
    const keyword = /^(AND|OR|NOT)(?=[\s(]|$)/.exec(text.slice(at));
    if (keyword) {
      if (keyword[1] === 'NOT') {
        not = !not;
        start = start < 0 ? at : start;
      }
      at += keyword[0].length;
      continue;
    }
    if (c === '-' && /\S/.test(text[at + 1] ?? '')) {
      not = !not;
      start = start < 0 ? at : start;
      at++;
      continue;
    }
    if (c === '(') {
      groups.push(not !== (groups.at(-1) ?? false));
      not = false;
      start = -1;
      at++;
      continue;
    }
    if (c === ')') {
      groups.pop();
      at++;
      continue;
    }
    const term = read(text, at);
    found.push({ ...term, from: start < 0 ? at : start, not: not !== (groups.at(-1) ?? false) });
    not = false;
    start = -1;
    at = term.to;
  }
  return found;
}

function read(text: string, at: number): Omit<Term, 'from' | 'not'> {
  const field = text[at] === '"' ? undefined : match(FIELD, text, at)?.[0];
  const op = field && match(OPERATOR, text, at + field.length)?.[0];
  if (field && op) {
    const valueFrom = at + field.length + op.length;
    const several = /^:?!?=$|^:$/.test(op) && match(SEVERAL, text, valueFrom)?.[0];
    return {
      field,
      op: op.length > 1 ? op.replace(/^:/, '') : op,
      valueFrom,
      ...(several ? { value: several, to: valueFrom + several.length } : value(text, valueFrom)),
    };
  }
  return { field: '', op: '', valueFrom: at, ...value(text, at) };
}

function value(text: string, at: number): { value: string; to: number } {
  const quoted = match(QUOTED, text, at);
  if (quoted) return { value: (quoted[1] ?? '').replace(/\\(["\\])/g, '$1'), to: at + quoted[0].length };
  let open = 0;
  let to = at;
  for (; to < text.length && !/\s/.test(text[to] ?? ''); to++) {
    if (text[to] === '(') open++;
    else if (text[to] === ')' && --open < 0) break;
  }
  return { value: text.slice(at, to), to: Math.max(to, at) };
}

/** A value in quotes, whatever is in it. */
export const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;

/** A condition as it is written. */
export function write(field: string, value: string, not = false): string {
  const plain = match(PLAIN, value, 0)?.[0] === value && value !== '';
  return `${not ? '-' : ''}${field}:${plain ? value : quoted(value)}`;
}

/** Whether a field's name can be written in a query. */
export const writable = (field: string) => match(FIELD, field, 0)?.[0] === field;

/** The term that asks for exactly this value of a field, or for its opposite. */
export function find(text: string, field: string, value: string): Term | undefined {
  return terms(text).find(
    (t) => t.field === field && t.value === value && (t.op === ':' || t.op === '=' || t.op === '!='),
  );
}

/** Whether a term excludes. */
export const excludes = (term: Term) => term.not !== (term.op === '!=');

/** Adds a condition, or takes it away when it is there; the opposite is replaced. */
export function toggle(text: string, field: string, value: string, not = false): string {
  const there = find(text, field, value);
  if (there) {
    const rest = `${text.slice(0, there.from).trimEnd()} ${text.slice(there.to).trimStart()}`.trim();
    return excludes(there) === not ? rest : toggle(rest, field, value, not);
  }
  const old = text.trim();
  // What is added must hold for all of it.
  return `${alternatives(old) ? `(${old})` : old} ${write(field, value, not)}`.trim();
}

/** Whether a query is an either-or as a whole. */
function alternatives(text: string): boolean {
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:\\["\\]|[^"])*"?|[()]|[^\s()]+/g)) {
    if (token === '(') depth++;
    else if (token === ')') depth--;
    else if (token === 'OR' && depth === 0) return true;
  }
  return false;
}

/** Finds in a body what the query asks for there; undefined when it asks for nothing. */
export function marker(text: string, body = 'body'): RegExp | undefined {
  const parts = terms(text)
    .filter((t) => !t.not && t.value && (t.op === '' || (t.field === body && /^[:=~]$/.test(t.op))))
    .map((t) =>
      t.op === '~'
        ? t.value
        : t.value
            .split('*')
            .filter(Boolean)
            .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
            .join('|'),
    )
    .filter(Boolean);
  if (parts.length === 0) return undefined;
  try {
    return new RegExp(parts.join('|'), 'giu');
  } catch {
    return undefined; // an expression that only the server's engine reads
  }
}

/** What the server says about a query: where, from 0 in UTF-16 units, and what. */
export function fault(text: string, detail: string): { from: number; to: number; column: number; what: string } {
  const said = /^column (\d+): (.*)$/s.exec(detail);
  const column = Number(said?.[1] ?? 1);
  const from = Math.min([...text].slice(0, column - 1).join('').length, text.length);
  const term = terms(text).find((t) => t.from <= from && from < t.to);
  return { from, to: Math.max(term?.to ?? from + 1, from + 1), column, what: said?.[2] ?? detail };
}
