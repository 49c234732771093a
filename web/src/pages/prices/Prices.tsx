import { Button } from '@mantine/core';
import { IconCoin, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { deletePrice, type Named, pricesQuery } from '../../api/prices.ts';
import { Problem } from '../../api/problem.ts';
import { meQuery } from '../../api/session.ts';
import type { Price } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { History } from './History.tsx';
import { PriceForm } from './PriceForm.tsx';
import classes from './Prices.module.css';
import { PriceTable } from './PriceTable.tsx';
import { Recounts } from './Recounts.tsx';
import { Unpriced } from './Unpriced.tsx';

/** What models cost and have cost, for the estimates beside every call. */
export function Prices() {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  useTitle(t('nav.prices'));
  if (me?.user.system) return <Known />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.prices')}</h1>
      </div>
      {me && (
        <section className="panel">
          <Failure error={new Problem(403)} />
        </section>
      )}
    </div>
  );
}

function Known() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q = '', history } = useSearch({ from: '/home/prices' });
  const [editing, setEditing] = useState<(Named & Partial<Price>) | 'new'>();
  const [deleting, setDeleting] = useState<Price>();
  const { data: prices, error, isPending, refetch } = useQuery(pricesQuery);
  const removal = useChange(deletePrice, {
    refresh: ['prices'],
    done: t('prices.deleted'),
    onDone: () => setDeleting(undefined),
  });
  const shown = prices?.filter((p) => holds(q, p.provider, p.model, `${p.provider}/${p.model}`));
  const slash = history?.indexOf('/') ?? -1;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.prices')}</h1>
        <Filter
          label={t('prices.filter')}
          value={q}
          onChange={(next) =>
            void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true })
          }
        />
        <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
          {t('prices.add')}
        </Button>
      </div>
      <p className="lead">{t('prices.lead')}</p>
      <Unpriced onSet={setEditing} />
      <section className={classes.section} aria-labelledby="prices">
        <h2 id="prices">{t('prices.now')}</h2>
        <div className="panel scroll-x" aria-busy={isPending}>
          {error && !prices ? (
            <Failure error={error} retry={() => void refetch()} />
          ) : shown?.length === 0 ? (
            <Empty icon={IconCoin} title={q ? t('prices.no_match', { q }) : t('prices.none')}>
              <p>{t(q ? 'prices.no_match_hint' : 'prices.none_hint')}</p>
            </Empty>
          ) : (
            <PriceTable prices={shown} onEdit={setEditing} onDelete={setDeleting} />
          )}
        </div>
      </section>
      <Recounts />
      {editing && (
        <PriceForm
          price={editing === 'new' ? undefined : editing}
          known={prices ?? []}
          onClose={() => setEditing(undefined)}
        />
      )}
      {history && slash > 0 && (
        <History
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
          <p className={classes.means}>{t('prices.delete_means')}</p>
          {deleting.upcoming > 0 && <p>{t('prices.delete_upcoming', { count: deleting.upcoming })}</p>}
        </Confirm>
      )}
    </div>
  );
}
