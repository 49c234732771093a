import { IconFolderOff } from '@tabler/icons-react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { mayAdmin, meQuery } from '../../api/session.ts';
import { Empty } from '../../parts/Empty.tsx';
import { useTitle } from '../../parts/useTitle.ts';

/** For those who may log in but have been given no project yet. */
export function NoProject() {
  const { t } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const own = me.orgs.find((o) => mayAdmin(me, o.id, 0));
  useTitle();
  return (
    <div className="page">
      <Empty icon={IconFolderOff} title={t('start.none')}>
        <p>{t('start.ask')}</p>
        {own && (
          <p>
            <Link to="/orgs/$org" params={{ org: String(own.id) }} search={{ create: 'own' }}>
              {t('start.own')}
            </Link>
          </p>
        )}
      </Empty>
    </div>
  );
}
