import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useProjectId } from '../../frame/useProject.ts';
import { quoted } from '../../parts/query/language.ts';

/** The moment that the pages behind a link are to show; empty for the range of the map. */
export type Window = { from?: string; to?: string };

interface Props {
  service: string;
  errors: number;
  window: Window;
}

/** From a service on the map to its page, its transactions and its errors. */
export function ServiceWays({ service, errors, window }: Props) {
  const { t } = useTranslation();
  const params = { project: String(useProjectId()) };
  return (
    <>
      <Link to="/projects/$project/services/$service" params={{ ...params, service }} search={window}>
        {t('map.service_page')}
      </Link>
      <Link to="/projects/$project/transactions" params={params} search={{ service, ...window }}>
        {t('map.transactions')}
      </Link>
      {errors > 0 && (
        <Link to="/projects/$project/transactions" params={params} search={{ service, errors: true, ...window }}>
          {t('map.failed_transactions')}
        </Link>
      )}
      <Link to="/projects/$project/issues" params={params} search={{ q: `service:${quoted(service)}`, ...window }}>
        {t('map.issues')}
      </Link>
    </>
  );
}
