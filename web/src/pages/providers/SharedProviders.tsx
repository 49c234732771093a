import { IconArrowForwardUp } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { sharedServicesQuery } from '../../api/providers.ts';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import badges from '../../parts/State.module.css';
import classes from './Providers.module.css';

/** What an organisation's calls can ask beside its own: the providers that all share, without what is not its business. */
export function SharedProviders({ org }: { org: number }) {
  const { t } = useTranslation();
  const { data: shared, error, isPending, refetch } = useQuery(sharedServicesQuery(org));
  return (
    <section className={`panel scroll-x ${classes.shared}`} aria-busy={isPending}>
      <h2>{t('providers.shared.title')}</h2>
      <p className="soft">{t('providers.shared.lead')}</p>
      {error && !shared ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : shared?.length === 0 ? (
        <p className="soft">{t('providers.shared.none')}</p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th>{t('providers.name')}</th>
              <th>{t('providers.kind')}</th>
              <th>{t('providers.shared.models')}</th>
            </tr>
          </thead>
          <tbody>
            {isPending && <SkeletonRows rows={2} columns={3} />}
            {shared?.map((each) => (
              <tr key={each.name}>
                <td className={classes.sharedName}>
                  {each.name}{' '}
                  {each.replaced && (
                    <span className={badges.badge} data-tone="info">
                      <IconArrowForwardUp size={14} aria-hidden />
                      {t('providers.shared.replaced')}
                    </span>
                  )}
                </td>
                <td className="soft nowrap">{each.kind}</td>
                <td>
                  {each.models.length > 0 ? (
                    <div className={classes.models}>
                      {each.models.map((model) => (
                        <code key={model}>{model}</code>
                      ))}
                    </div>
                  ) : (
                    <span className="dim">{'–'}</span>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
