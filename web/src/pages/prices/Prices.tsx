import { Button, TextInput } from '@mantine/core';
import { IconCoin, IconPencil, IconPlus, IconSearch, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { deletePrice, pricesQuery } from '../../api/prices.ts';
import { Problem } from '../../api/problem.ts';
import { meQuery } from '../../api/session.ts';
import type { Price } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { PriceForm } from './PriceForm.tsx';

/** What models cost, for the estimates beside every call. */
export function Prices() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { q = '' } = useSearch({ from: '/home/prices' });
  const [editing, setEditing] = useState<Price | 'new'>();
  const [deleting, setDeleting] = useState<Price>();
  const { data: me } = useQuery(meQuery);
  const { data: prices, error, isPending, refetch } = useQuery({ ...pricesQuery, enabled: me?.user.system ?? false });
  const removal = useChange(deletePrice, { refresh: ['prices'], done: t('prices.deleted') });
  useTitle(t('nav.prices'));
  const problem = me && !me.user.system ? new Problem(403) : error;
  const words = q.toLowerCase();
  const shown = prices?.filter((p) => `${p.provider} ${p.model}`.toLowerCase().includes(words));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.prices')}</h1>
        {me?.user.system && (
          <>
            <TextInput
              type="search"
              w={220}
              leftSection={<IconSearch size={15} />}
              placeholder={t('prices.filter')}
              aria-label={t('prices.filter')}
              value={q}
              onChange={(e) => {
                const next = e.currentTarget.value;
                void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true });
              }}
            />
            <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
              {t('prices.add')}
            </Button>
          </>
        )}
      </div>
      <p className="lead">{t('prices.lead')}</p>
      <section className="panel" aria-busy={isPending && !problem}>
        {problem && !prices ? (
          <Failure error={problem} retry={problem === error ? () => void refetch() : undefined} />
        ) : shown?.length === 0 ? (
          <Empty icon={IconCoin} title={q ? t('prices.no_match', { q }) : t('prices.none')}>
            <p>{t(q ? 'prices.no_match_hint' : 'prices.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('prices.provider')}</th>
                <th>{t('prices.model')}</th>
                <th className="num">{t('prices.input')}</th>
                <th className="num">{t('prices.output')}</th>
                <th>{t('prices.changed')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={8} columns={6} />}
              {shown?.map((price) => (
                <tr key={`${price.provider}/${price.model}`}>
                  <td>{price.provider}</td>
                  <td>
                    <code>{price.model}</code>
                  </td>
                  <td className="num">{money(price.input)}</td>
                  <td className="num">{money(price.output)}</td>
                  <td className="nowrap">
                    {price.updated_at ? (
                      <>
                        <When at={price.updated_at} /> <span className="dim">{price.updated_by}</span>
                      </>
                    ) : (
                      <span className="dim">{t('prices.as_installed')}</span>
                    )}
                  </td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconPencil}
                        label={t('action.edit')}
                        of={price.model}
                        onClick={() => setEditing(price)}
                      />
                      <RowAction
                        icon={IconTrash}
                        label={t('action.delete')}
                        of={price.model}
                        onClick={() => setDeleting(price)}
                      />
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      {editing && (
        <PriceForm
          price={editing === 'new' ? undefined : editing}
          known={prices ?? []}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('prices.delete_title', { model: deleting?.model })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('prices.delete_means')}
      </Confirm>
    </div>
  );
}

/** US dollars with at least cents, and as many digits more as the price has. */
const money = (usd: number) =>
  `$${usd.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 6 })}`;
