import { useTranslation } from 'react-i18next';
import type { Price } from '../../api/types.ts';
import { type Kind, money } from './draft.ts';

const LIKE = { cached: 'input', cache_write: 'input', reasoning: 'output' } as const;

/** What a million tokens of a kind cost; a kind without a price of its own costs what it is part of. */
export function Amount({ price, kind }: { price: Price; kind: Kind }) {
  const { t } = useTranslation();
  if (kind === 'input' || kind === 'output') return money(price[kind]);
  const own = price[kind];
  return own === null ? <span className="dim">{t(`prices.as_${LIKE[kind]}`)}</span> : money(own);
}
