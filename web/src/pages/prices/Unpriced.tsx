import { Button } from '@mantine/core';
import { IconAlertTriangle, IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { type Named, unpricedQuery } from '../../api/prices.ts';
import { meQuery } from '../../api/session.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { When } from '../../parts/When.tsx';
import classes from './Prices.module.css';

interface Props {
  /** Of whose providers: an organisation's, or with 0 of everybody's. */
  org: number;
  onSet: (model: { org: number; price: Named }) => void;
}

/** The models whose calls have no cost because nobody has said what they cost. */
export function Unpriced({ org, onSet }: Props) {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const nameOf = (id: number) => me?.orgs.find((each) => each.id === id)?.name ?? String(id);
  const { range, from, to } = useSearch({ from: '/home/prices' });
  const query = useQuery(unpricedQuery(org, { range: { range, from, to }, pausedAt: usePausedAt() }));
  const { data, error, isPending, refetch } = query;
  const models = data?.items;
  return (
    <section className={classes.section} aria-labelledby="unpriced">
      <h2 id="unpriced">{t('prices.unpriced')}</h2>
      {org !== 0 && models && models.length > 0 && <p className="lead">{t('prices.own.unpriced_hint')}</p>}
      <div className="panel scroll-x" aria-busy={isPending}>
        <Stale query={query} />
        {error && !data ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : models?.length === 0 ? (
          <p className={classes.priced}>
            <IconCircleCheck size={16} aria-hidden />
            {t(org ? 'prices.own.all_priced' : 'prices.all_priced')}
          </p>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('prices.model')}</th>
                <th className="num">{t('prices.attempts')}</th>
                <th className="num">{t('prices.input_tokens')}</th>
                <th className="num">{t('prices.output_tokens')}</th>
                <th>{t('prices.first_used')}</th>
                <th>{t('prices.last_used')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={1} columns={7} />}
              {models?.map((each) => (
                <tr key={`${each.org_id}/${each.provider}/${each.model}`}>
                  <td>
                    <span className="row">
                      <IconAlertTriangle size={15} color="var(--mx-warning)" aria-hidden />
                      <Link
                        to="/prices"
                        search={(old) => ({ ...old, org: each.org_id, history: `${each.provider}/${each.model}` })}
                        resetScroll={false}
                      >
                        <code>{each.model}</code>
                      </Link>
                      <span className="dim">
                        {org === each.org_id
                          ? each.provider
                          : t('prices.of_org', { provider: each.provider, org: nameOf(each.org_id) })}
                      </span>
                    </span>
                  </td>
                  <td className="num">{count(each.attempts)}</td>
                  <td className="num">{count(each.input_tokens)}</td>
                  <td className="num">{count(each.output_tokens)}</td>
                  <td>
                    <When at={each.first} />
                  </td>
                  <td>
                    <When at={each.last} />
                  </td>
                  <td>
                    <div className="row-actions">
                      <Button
                        variant="default"
                        size="compact-xs"
                        aria-label={`${t('prices.set')}: ${each.model}`}
                        onClick={() =>
                          onSet({ org: each.org_id, price: { provider: each.provider, model: each.model } })
                        }
                      >
                        {t('prices.set')}
                      </Button>
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </section>
  );
}
