import { IconFolderOff } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Empty } from '../../parts/Empty.tsx';
import { useTitle } from '../../parts/useTitle.ts';

/** For those who may log in but have been given no project yet. */
export function NoProject() {
  const { t } = useTranslation();
  useTitle();
  return (
    <div className="page">
      <Empty icon={IconFolderOff} title={t('start.none')}>
        <p>{t('start.ask')}</p>
      </Empty>
    </div>
  );
}
