import type { ResourceAttribute, Transaction } from '../../api/types.ts';
import type { Known } from '../../parts/query/complete.ts';

/** The fields of a search of transactions (internal/trace/search.go), as they could be written. */
const FIELDS: [field: string, example: string, value?: (transaction: Transaction) => string | undefined][] = [
  ['service', ':order-api', (each) => each.service],
  ['endpoint', ':"GET /items"', (each) => each.endpoint],
  ['environment', ':production', (each) => each.environment],
  ['instance', ':pod-1', (each) => each.instance],
  ['version', ':1.4.2', (each) => each.version],
  ['status', ':error', (each) => (each.error ? 'error' : 'ok')],
  ['http', '>=500'],
  ['duration', '>2s'],
  ['exception', ':*Timeout*', (each) => each.exception],
  ['sql.count', '>20'],
  ['sql.time', '>1s'],
  ['sql.rows', '>1000'],
  ['calls.count', '>5'],
  ['calls.time', '>500ms'],
  ['attr.', 'customer.id=42'],
  ['span.', 'db.system.name=mysql'],
  ['resource.', 'k8s.pod.name=pod-1'],
  ['has', ':attr.coupon'],
];

/** What a search can be completed with: every field, the values that are listed, and what senders say of themselves. */
export const knownOf = (listed: Transaction[], senders: ResourceAttribute[] = []): Known[] => [
  ...FIELDS.map(([field, example, value]) => {
    const counts = new Map<string, number>();
    for (const each of value ? listed : []) {
      const found = value?.(each);
      if (found) counts.set(found, (counts.get(found) ?? 0) + 1);
    }
    const values = [...counts].map(([name, count]) => ({ value: name, count })).sort((a, b) => b.count - a.count);
    return { field, example, values };
  }),
  ...senders.map(({ key, values }) => ({
    field: `resource.${key}`,
    values: values.map(({ value, resources }) => ({ value, count: resources })),
  })),
];
