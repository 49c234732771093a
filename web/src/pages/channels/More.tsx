import { Button } from '@mantine/core';
import { useTranslation } from 'react-i18next';

/** Below a list whose length nobody counted: more of it. */
export function More({ busy, onMore }: { busy: boolean; onMore: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="foot">
      <Button variant="default" size="compact-xs" loading={busy} onClick={onMore}>
        {t('list.more')}
      </Button>
    </div>
  );
}
