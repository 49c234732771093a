import { IconSearch } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../parts/Empty.tsx';

/** In the place of a list of the service's parts that has none. */
export function Nothing() {
  const { t } = useTranslation();
  return (
    <Empty icon={IconSearch} title={t('service.nothing')}>
      <p>{t('service.nothing_hint')}</p>
    </Empty>
  );
}
