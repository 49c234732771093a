import { Button } from '@mantine/core';
import { IconCoin, IconPlug, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { deletePrice, type Named, pricesQuery } from '../../api/prices.ts';
import { Problem } from '../../api/problem.ts';
import { providerNamesQuery } from '../../api/providers.ts';
import { meQuery } from '../../api/session.ts';
import type { Price } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { OwnerSelect, useAdministered } from '../../parts/OwnerSelect.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { History } from './History.tsx';
import { PriceForm } from './PriceForm.tsx';
import classes from './Prices.module.css';
import { PriceTable } from './PriceTable.tsx';
import { Recounts } from './Recounts.tsx';
import { Unpriced } from './Unpriced.tsx';

/**
 * What models cost and have cost, for the estimates beside every call: for the administrators of the installation,
 * and for those of an organisation what models of its own providers cost.
 */
export function Prices() {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const { org } = useSearch({ from: '/home/prices' });
  const owner = useAdministered(org);
  useTitle(t('nav.prices'));
  if (owner && owner.role !== 'editor') return <Known key={owner.org} org={owner.org} />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.prices')}</h1>
        {owner && <Whose org={owner.org} />}
      </div>
      {me && (
        <section className="panel">
          <Failure error={new Problem(403)} />
        </section>
      )}
    </div>
  );
}

function Whose({ org }: { org: number }) {
  const navigate = useNavigate();
  return (
    <OwnerSelect
      org={org}
      onChange={(next) =>
        void navigate({ to: '.', search: (old) => ({ ...old, org: next, q: undefined, history: undefined }) })
      }
    />
  );
}

/** A model whose price is set, and of whose provider it is. */
type Editing = { org: number; price?: Named & Partial<Price> };

function Known({ org }: { org: number }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q = '', history } = useSearch({ from: '/home/prices' });
  const [editing, setEditing] = useState<Editing>();
  const [deleting, setDeleting] = useState<Price>();
  const { data: prices, error, isPending, refetch } = useQuery(pricesQuery(org));
  const { data: providers } = useQuery(providerNamesQuery(org));
  const removal = useChange((of: Named) => deletePrice(org, of), {
    refresh: ['prices'],
    done: t('prices.deleted'),
    onDone: () => setDeleting(undefined),
  });
  const shown = prices?.filter((p) => holds(q, p.provider, p.model, `${p.provider}/${p.model}`));
  // An organisation's prices are of providers that it has.
  const providerless = org !== 0 && providers?.length === 0;
  const slash = history?.indexOf('/') ?? -1;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.prices')}</h1>
        <Whose org={org} />
        <Filter
          label={t('prices.filter')}
          value={q}
          onChange={(next) =>
            void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true })
          }
        />
        <Button leftSection={<IconPlus size={15} />} disabled={providerless} onClick={() => setEditing({ org })}>
          {t('prices.add')}
        </Button>
      </div>
      <p className="lead">{t(org ? 'prices.own.lead' : 'prices.lead')}</p>
      {!providerless && <Unpriced org={org} onSet={setEditing} />}
      <section className={classes.section} aria-labelledby="prices">
        <h2 id="prices">{t('prices.now')}</h2>
        <div className="panel scroll-x" aria-busy={isPending}>
          {error && !prices ? (
            <Failure error={error} retry={() => void refetch()} />
          ) : shown?.length === 0 ? (
            providerless && !q ? (
              <Empty icon={IconPlug} title={t('providers.own.none')}>
                <p>{t('prices.own.no_provider')}</p>
                <Link to="/providers" search={{ org }}>
                  {t('providers.add')}
                </Link>
              </Empty>
            ) : (
              <Empty
                icon={IconCoin}
                title={q ? t('prices.no_match', { q }) : t(org ? 'prices.own.none' : 'prices.none')}
              >
                <p>{t(q ? 'prices.no_match_hint' : org ? 'prices.own.none_hint' : 'prices.none_hint')}</p>
              </Empty>
            )
          ) : (
            <PriceTable
              org={org}
              prices={shown}
              onEdit={(price) => setEditing({ org, price })}
              onDelete={setDeleting}
            />
          )}
        </div>
      </section>
      {org === 0 && <Recounts />}
      {editing && (
        <PriceForm
          org={editing.org}
          price={editing.price}
          known={prices ?? []}
          recounts={org === 0}
          onClose={() => setEditing(undefined)}
        />
      )}
      {history && slash > 0 && (
        <History
          org={org}
          of={{ provider: history.slice(0, slash), model: history.slice(slash + 1) }}
          onClose={() =>
            void navigate({ to: '.', search: (old) => ({ ...old, history: undefined }), resetScroll: false })
          }
        />
      )}
      {deleting && (
        <Confirm
          opened
          title={t('prices.delete_title', { model: deleting.model })}
          verb={t('action.delete')}
          danger
          busy={removal.isPending}
          onClose={() => setDeleting(undefined)}
          onConfirm={() => removal.mutate(deleting)}
        >
          <p className={classes.means}>{t(org ? 'prices.own.delete_means' : 'prices.delete_means')}</p>
          {deleting.upcoming > 0 && <p>{t('prices.delete_upcoming', { count: deleting.upcoming })}</p>}
        </Confirm>
      )}
    </div>
  );
}
