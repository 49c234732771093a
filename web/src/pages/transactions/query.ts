/** The fields of the query language, with a value as it could stand there (internal/trace/search.go, the language is internal/search). */
export const FIELDS: [name: string, example: string][] = [
  ['service', ':order-api'],
  ['endpoint', ':"GET /items"'],
  ['environment', ':production'],
  ['instance', ':pod-1'],
  ['version', ':1.4.2'],
  ['status', ':error'],
  ['http', '>=500'],
  ['duration', '>2s'],
  ['exception', '~Timeout'],
  ['sql.count', '>20'],
  ['sql.time', '>1s'],
  ['sql.rows', '>1000'],
  ['calls.count', '>5'],
  ['calls.time', '>500ms'],
  ['attr.', 'customer.id=42'],
  ['span.', 'db.system.name=mysql'],
  ['has:attr.', 'coupon'],
];

/** A condition on one value, quoted where it has to be. */
export const term = (field: string, value: string, not = false) =>
  `${field}${not ? '!=' : field.startsWith('attr.') ? '=' : ':'}${/^[\p{L}\p{Nd}._\-/@#+;%&$:]+$/u.test(value) ? value : `"${value.replace(/[\\"]/g, '\\$&')}"`}`;

/** Where the word under the cursor begins. */
export const wordAt = (text: string, cursor: number) => text.slice(0, cursor).search(/\S*$/);

/** What a word could go on to: fields that begin with it, or values known of its field. */
export function hints(word: string, known: Record<string, string[]>): { value: string; example: string }[] {
  const minus = word.startsWith('-') ? '-' : '';
  const bare = word.slice(minus.length);
  const value = /^([a-z.]+)[:=](.*)$/.exec(bare);
  if (value) {
    const [, field = '', typed = ''] = value;
    const begun = typed.replace(/^"/, '').toLowerCase();
    return (known[field] ?? [])
      .filter((each) => each.toLowerCase().includes(begun) && each !== typed)
      .slice(0, 8)
      .map((each) => ({ value: minus + term(field, each), example: '' }));
  }
  return FIELDS.filter(([name]) => name.startsWith(bare) && name !== bare).map(([name, example]) => ({
    value: `${minus}${name}${name.endsWith('.') ? '' : (example.match(/^[:~><=]+/)?.[0] ?? ':')}`,
    example: `${name}${example}`,
  }));
}

/** The 1-based column of a fault of the query, and what is wrong there. */
export function fault(detail: string): { column: number; message: string } | undefined {
  const found = /^column (\d+): (.*)$/s.exec(detail);
  return found ? { column: Number(found[1]), message: found[2] ?? '' } : undefined;
}
