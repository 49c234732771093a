import { Button, Modal, TextInput } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed, IconPlus, IconRobot } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  createServiceAccount,
  createServiceToken,
  revokeServiceToken,
  serviceAccountsQuery,
  serviceTokensQuery,
  updateServiceAccount,
} from '../../api/people.ts';
import type { ServiceAccount } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { SecretTable } from '../../parts/SecretTable.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { TokenForm } from '../me/TokenForm.tsx';
import { givenOf, RoleSelect } from '../members/RoleSelect.tsx';
import classes from './Org.module.css';

/** Accounts of the organisation that are no persons: they work by token and cannot log in. */
export function ServiceAccounts({ org, name }: { org: number; name: string }) {
  const { t } = useTranslation();
  const { data: accounts, error, refetch } = useQuery(serviceAccountsQuery(org));
  const [making, setMaking] = useState(false);
  const [shown, setShown] = useState<number>();
  const [secret, setSecret] = useState<string>();
  const change = useChange((a: ServiceAccount) => updateServiceAccount(a, a.name, !a.disabled), {
    refresh: ['service-accounts', org],
    done: t('service_accounts.saved'),
  });
  if (error && !accounts) return <Failure error={error} retry={() => void refetch()} />;
  const open = accounts?.find((a) => a.id === shown);
  return (
    <section className={classes.part} aria-label={t('service_accounts.title')}>
      <div className="page-head">
        <h2>{t('service_accounts.title')}</h2>
        <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
          {t('service_accounts.add')}
        </Button>
      </div>
      <div className="panel" aria-busy={!accounts}>
        {accounts?.length === 0 ? (
          <Empty icon={IconRobot} title={t('service_accounts.none')}>
            <p>{t('service_accounts.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('settings.name')}</th>
                <th>{t('service_accounts.address')}</th>
                <th className="num">{t('service_accounts.tokens')}</th>
                <th>{t('settings.used')}</th>
                <th>{t('settings.state')}</th>
                <th aria-label={t('settings.actions')} />
              </tr>
            </thead>
            <tbody>
              {!accounts && <SkeletonRows rows={2} columns={6} />}
              {accounts?.map((account) => (
                <tr key={account.id} className={account.disabled ? 'off' : undefined}>
                  <td>
                    <strong>{account.name}</strong>
                  </td>
                  <td className="soft">{account.email}</td>
                  <td className="num">{count(account.tokens)}</td>
                  <td>
                    {account.last_used_at ? (
                      <When at={account.last_used_at} />
                    ) : (
                      <span className="dim">{t('settings.never')}</span>
                    )}
                  </td>
                  <td>
                    <span className="row">
                      {account.disabled ? (
                        <IconCircleDashed size={15} aria-hidden />
                      ) : (
                        <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
                      )}
                      {t(account.disabled ? 'service_accounts.off' : 'settings.in_use')}
                    </span>
                  </td>
                  <td>
                    <div className="row-actions">
                      <Button
                        variant="default"
                        size="compact-xs"
                        aria-label={`${t('service_accounts.tokens')}: ${account.name}`}
                        onClick={() => setShown(account.id)}
                      >
                        {t('service_accounts.tokens')}
                      </Button>
                      <Button
                        variant="default"
                        size="compact-xs"
                        aria-label={`${t(account.disabled ? 'service_accounts.enable' : 'service_accounts.disable')}: ${account.name}`}
                        onClick={() => change.mutate(account)}
                      >
                        {t(account.disabled ? 'service_accounts.enable' : 'service_accounts.disable')}
                      </Button>
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {making && <New org={org} name={name} onClose={() => setMaking(false)} />}
      {open && !secret && <Tokens account={open} onSecret={setSecret} onClose={() => setShown(undefined)} />}
      {secret && <Shown title={t('settings.new_token')} secret={secret} onClose={() => setSecret(undefined)} />}
    </section>
  );
}

function New({ org, name: orgName, onClose }: { org: number; name: string; onClose: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [role, setRole] = useState('viewer');
  const make = useChange(() => createServiceAccount(org, name, givenOf(role)), {
    refresh: ['service-accounts', org],
    also: ['members'],
    done: t('service_accounts.saved'),
    onDone: onClose,
  });
  return (
    <FormModal
      title={t('service_accounts.add')}
      verb={t('action.add')}
      size="sm"
      busy={make.isPending}
      onSubmit={() => make.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('settings.name')}
        required
        maxLength={100}
        data-autofocus
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      <RoleSelect place={{ org, group: 0, name: orgName }} value={role} noOwner onChange={setRole} />
    </FormModal>
  );
}

interface TokensProps {
  account: ServiceAccount;
  onSecret: (secret: string) => void;
  onClose: () => void;
}

function Tokens({ account, onSecret, onClose }: TokensProps) {
  const { t } = useTranslation();
  const { data: tokens, error, refetch } = useQuery(serviceTokensQuery(account));
  const [making, setMaking] = useState(false);
  const refresh = ['service-accounts', account.org_id];
  const revoke = useChange((token: { id: number }) => revokeServiceToken(account, token.id), {
    refresh,
    done: t('settings.revoked'),
  });
  if (making) {
    return (
      <TokenForm
        create={(name, scopes, expiresAt) => createServiceToken(account, name, scopes, expiresAt)}
        refresh={refresh}
        onClose={() => setMaking(false)}
        onMade={(secret) => {
          setMaking(false);
          onSecret(secret);
        }}
      />
    );
  }
  return (
    <Modal
      opened
      size="xl"
      onClose={onClose}
      title={<strong>{t('service_accounts.tokens_of', { name: account.name })}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className="form">
        {error && !tokens ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : (
          <SecretTable
            rows={tokens}
            extra={{
              title: t('settings.scopes'),
              of: (token) => (
                <>
                  <code>{token.scopes.join(', ')}</code>
                  <div className="dim">
                    {t('settings.expires')} <When at={token.expires_at} />
                  </div>
                </>
              ),
            }}
            onRevoke={(token) => revoke.mutate(token)}
          />
        )}
        <div>
          <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
            {t('settings.add_token')}
          </Button>
        </div>
      </div>
    </Modal>
  );
}
