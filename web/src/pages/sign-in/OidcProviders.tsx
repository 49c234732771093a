import { Button } from '@mantine/core';
import {
  IconCircleCheck,
  IconCircleDashed,
  IconLogin2,
  IconPencil,
  IconPlugConnected,
  IconPlus,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { deleteOidcProvider, oidcProvidersQuery } from '../../api/signin.ts';
import type { OidcProvider } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { OidcCheck } from './OidcCheck.tsx';
import { OidcForm } from './OidcForm.tsx';

/** The providers of OpenID Connect that people can log in with. */
export function OidcProviders() {
  const { t } = useTranslation();
  const { data: providers, error, isPending, refetch } = useQuery(oidcProvidersQuery);
  const [editing, setEditing] = useState<OidcProvider | 'new'>();
  const [checking, setChecking] = useState<string>();
  const [deleting, setDeleting] = useState<OidcProvider>();
  const removal = useChange(deleteOidcProvider, { refresh: ['oidc-providers'], done: t('oidc.deleted') });
  return (
    <>
      <div className="page-head">
        <h2>{t('oidc.title')}</h2>
        {providers && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
            {t('oidc.add')}
          </Button>
        )}
      </div>
      <p className="lead">{t('oidc.lead')}</p>
      <div className="panel scroll-x" aria-busy={isPending}>
        {error && !providers ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : providers?.length === 0 ? (
          <Empty icon={IconLogin2} title={t('oidc.none')}>
            <p>{t('oidc.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('settings.name')}</th>
                <th>{t('oidc.issuer')}</th>
                <th className="num">{t('oidc.mappings')}</th>
                <th>{t('settings.state')}</th>
                <th>{t('oidc.changed')}</th>
                <th aria-label={t('settings.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={2} columns={6} />}
              {providers?.map((provider) => (
                <tr key={provider.code} className={provider.enabled ? undefined : 'off'}>
                  <td>
                    <strong>{provider.name}</strong> <code className="dim">{provider.code}</code>
                  </td>
                  <td>
                    <code>{provider.issuer}</code>
                  </td>
                  <td className="num">{count(provider.mappings.length)}</td>
                  <td>
                    <span className="row nowrap">
                      {provider.enabled ? (
                        <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
                      ) : (
                        <IconCircleDashed size={15} aria-hidden />
                      )}
                      {t(provider.enabled ? 'users.enabled' : 'users.disabled')}
                    </span>
                  </td>
                  <td>
                    {provider.updated_by} <When at={provider.updated_at} />
                  </td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconPlugConnected}
                        label={t('oidc.check')}
                        of={provider.code}
                        onClick={() => setChecking(provider.code)}
                      />
                      <RowAction
                        icon={IconPencil}
                        label={t('action.edit')}
                        of={provider.code}
                        onClick={() => setEditing(provider)}
                      />
                      <RowAction
                        icon={IconTrash}
                        label={t('action.delete')}
                        of={provider.code}
                        onClick={() => setDeleting(provider)}
                      />
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {editing && (
        <OidcForm
          provider={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onSaved={(code) => {
            setEditing(undefined);
            setChecking(code);
          }}
        />
      )}
      {checking && <OidcCheck code={checking} onClose={() => setChecking(undefined)} />}
      <Confirm
        opened={deleting !== undefined}
        title={t('oidc.delete_title', { name: deleting?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('oidc.delete_means')}
      </Confirm>
    </>
  );
}
