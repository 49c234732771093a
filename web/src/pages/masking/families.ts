/** Which kinds of values share a colour: two kinds of one family are told apart by their tokens. */
const FAMILIES = {
  address: ['url', 'jdbc_url', 'host', 'pod', 'ip', 'path'],
  database: ['database', 'table', 'column', 'literal'],
  person: ['email', 'phone', 'resident', 'person', 'name'],
  money: ['card', 'business', 'account'],
  secret: ['secret', 'cookie'],
  own: ['custom'],
} as const;

export type Family = keyof typeof FAMILIES;

export const familyOf = (mask: string): Family =>
  (Object.keys(FAMILIES) as Family[]).find((family) => (FAMILIES[family] as readonly string[]).includes(mask)) ?? 'own';
