import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../api/session.ts';

/** To where an unknown price is set, for those who may. */
export function PricesLink() {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  return me?.user.system ? <Link to="/prices">{t('usage.prices')}</Link> : null;
}
