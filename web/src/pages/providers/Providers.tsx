import { Button } from '@mantine/core';
import { IconPlug, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { circuitsQuery } from '../../api/circuits.ts';
import { Problem } from '../../api/problem.ts';
import {
  deleteKey,
  deleteProvider,
  keyHealthQuery,
  modelServicesQuery,
  providerKindsQuery,
  setKey,
} from '../../api/providers.ts';
import { meQuery } from '../../api/session.ts';
import type { ModelService } from '../../api/types.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Circuits } from '../../parts/circuits/Circuits.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { OwnerSelect, useAdministered } from '../../parts/OwnerSelect.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { type KeyRow, keyRows } from './health.ts';
import { KeyForm } from './KeyForm.tsx';
import { KeyTest } from './KeyTest.tsx';
import { ProviderForm } from './ProviderForm.tsx';
import { ProviderRows } from './ProviderRows.tsx';
import classes from './Providers.module.css';
import { SharedProviders } from './SharedProviders.tsx';

/** What is open over the list, and of which provider and key. */
type Opened =
  | { what: 'add' }
  | { what: 'edit' | 'delete' | 'add_key'; provider: ModelService }
  | { what: 'test' | 'replace_key' | 'delete_key'; provider: ModelService; row: KeyRow };

/**
 * The services that models are asked of, their keys, and how calls with each go: of an organisation for its
 * administrators, and of the installation for those of the system.
 */
export function Providers() {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const { org } = useSearch({ from: '/home/providers' });
  const owner = useAdministered(org);
  useTitle(t('nav.providers'));
  if (owner && owner.role !== 'editor') return <Known key={owner.org} org={owner.org} />;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.providers')}</h1>
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
    <OwnerSelect org={org} onChange={(next) => void navigate({ to: '.', search: (old) => ({ ...old, org: next }) })} />
  );
}

function Known({ org }: { org: number }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const pausedAt = usePausedAt();
  const { q = '' } = useSearch({ from: '/home/providers' });
  const [opened, setOpened] = useState<Opened>();
  const query = useQuery(modelServicesQuery(org));
  const { data: providers, error, isPending, refetch } = query;
  const { data: kinds } = useQuery(providerKindsQuery(org));
  const health = useQuery(keyHealthQuery(org, pausedAt));
  const circuits = useQuery(circuitsQuery(org, pausedAt));
  const toggle = useChange(
    ({ provider, row }: { provider: ModelService; row: KeyRow }) => setKey(provider, row.alias, !row.enabled),
    { refresh: ['providers'], also: ['circuits'], done: t('providers.key_switched') },
  );
  const close = () => setOpened(undefined);
  const shown = providers?.filter((p) => holds(q, p.name, p.kind, p.base_url, ...p.keys.map((key) => key.alias)));
  const storable = kinds === undefined || kinds.length > 0;
  const add = (
    <Button leftSection={<IconPlus size={15} />} disabled={!storable} onClick={() => setOpened({ what: 'add' })}>
      {t('providers.add')}
    </Button>
  );
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.providers')}</h1>
        <Whose org={org} />
        {providers?.length !== 0 && (
          <>
            <Filter
              label={t('providers.filter')}
              value={q}
              onChange={(next) =>
                void navigate({ to: '.', search: (old) => ({ ...old, q: next || undefined }), replace: true })
              }
            />
            {add}
          </>
        )}
      </div>
      <p className="lead">{t(org ? 'providers.own.lead' : 'providers.lead')}</p>
      {!storable && <p className="note">{t('providers.not_storable')}</p>}
      <section className="panel scroll-x" aria-busy={isPending}>
        <Stale query={query} />
        <Stale query={health} />
        {error && !providers ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : providers?.length === 0 ? (
          <Empty icon={IconPlug} title={t(org ? 'providers.own.none' : 'providers.none')}>
            <p>{t(org ? 'providers.own.none_hint' : 'providers.none_hint')}</p>
            <ol className={classes.steps}>
              <li>{t('providers.first.add')}</li>
              <li>{t('providers.first.key')}</li>
              <li>{t('providers.first.chain')}</li>
            </ol>
            {add}
          </Empty>
        ) : shown?.length === 0 ? (
          <Empty icon={IconPlug} title={t('providers.no_match', { q })}>
            <p>{t('providers.no_match_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('providers.key')}</th>
                <th>{t('providers.circuit')}</th>
                <th className="num">{t('providers.calls')}</th>
                <th className="num">{t('providers.failed')}</th>
                <th>{t('providers.last_ok')}</th>
                <th>{t('providers.last_failure')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            {isPending && (
              <tbody>
                <SkeletonRows rows={4} columns={7} />
              </tbody>
            )}
            {shown?.map((provider) => (
              <ProviderRows
                key={`${provider.name}/${provider.configured}`}
                provider={provider}
                rows={keyRows(provider, health.data ?? [], circuits.data ?? [])}
                unknown={{ health: !health.data, circuits: !circuits.data }}
                onProvider={(what) => setOpened({ what, provider })}
                onKey={(what, row) =>
                  what === 'switch' ? toggle.mutate({ provider, row }) : setOpened({ what, provider, row })
                }
              />
            ))}
          </table>
        )}
      </section>
      {org !== 0 && (
        <>
          {providers && providers.length > 0 && (
            <div className={classes.circuits}>
              <Circuits org={org} q={q} />
            </div>
          )}
          <SharedProviders org={org} />
        </>
      )}
      {opened?.what === 'add' && <ProviderForm org={org} onClose={close} />}
      {opened?.what === 'edit' && <ProviderForm org={org} provider={opened.provider} onClose={close} />}
      {opened?.what === 'add_key' && <KeyForm provider={opened.provider} onClose={close} />}
      {opened?.what === 'replace_key' && <KeyForm provider={opened.provider} row={opened.row} onClose={close} />}
      {opened?.what === 'test' && <KeyTest provider={opened.provider} row={opened.row} onClose={close} />}
      {opened?.what === 'delete' && <Deletion provider={opened.provider} onClose={close} />}
      {opened?.what === 'delete_key' && <KeyDeletion provider={opened.provider} row={opened.row} onClose={close} />}
    </div>
  );
}

/** Names the roles whose chains will miss it. */
function Deletion({ provider, onClose }: { provider: ModelService; onClose: () => void }) {
  const { t } = useTranslation();
  const removal = useChange(deleteProvider, {
    refresh: ['providers'],
    also: ['circuits'],
    done: t('providers.deleted'),
    onDone: onClose,
  });
  const roles = provider.roles.join(', ');
  return (
    <Confirm
      opened
      title={t('providers.delete_title', { name: provider.name })}
      verb={t('action.delete')}
      danger
      busy={removal.isPending}
      onClose={onClose}
      onConfirm={() => removal.mutate(provider)}
    >
      <p>{roles ? t('providers.delete_roles', { roles }) : t('providers.delete_no_roles')}</p>
      <p>{t('providers.delete_means')}</p>
    </Confirm>
  );
}

function KeyDeletion({ provider, row, onClose }: { provider: ModelService; row: KeyRow; onClose: () => void }) {
  const { t } = useTranslation();
  const removal = useChange(() => deleteKey(provider, row.alias), {
    refresh: ['providers'],
    also: ['circuits'],
    done: t('providers.key_deleted'),
    onDone: onClose,
  });
  const more = provider.keys.some((key) => key.enabled && key.alias !== row.alias);
  // The only one of a provider with an address: it is asked without a key from then on.
  const keyless = provider.keys.length === 1 && provider.base_url;
  return (
    <Confirm
      opened
      title={t('providers.delete_key_title', { key: row.alias, name: provider.name })}
      verb={t('action.delete')}
      danger
      busy={removal.isPending}
      onClose={onClose}
      onConfirm={() => removal.mutate(undefined)}
    >
      {t(`providers.delete_key_means.${more ? 'others' : keyless ? 'keyless' : 'last'}`)}
    </Confirm>
  );
}
