import { useTranslation } from 'react-i18next';
import type { Usage } from '../../api/types.ts';
import { dollars } from '../../format/number.ts';

/** What the tokens cost: nothing to tell without tokens, and not zero without a price. */
export function Cost({ usage }: { usage: Usage }) {
  const { t } = useTranslation();
  if (usage.input_tokens + usage.output_tokens === 0) return <span className="dim">{'–'}</span>;
  return dollars(usage.cost_usd) ?? <span className="dim">{t('calls.no_cost')}</span>;
}
