import { Button, Select, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createDirectoryToken, provisioningQuery, revokeDirectoryToken } from '../../api/signin.ts';
import type { DirectoryToken, MemberRole } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { Mono } from '../../parts/Mono.tsx';
import { SecretTable } from '../../parts/SecretTable.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { useChange } from '../../parts/useChange.ts';

const ROLES = ['viewer', 'editor', 'admin'] as const;

/** How an organisation's directory provisions its people (SCIM). Tokens make accounts: only a system admin adds one. */
export function Provisioning({ org, mayAdd }: { org: number; mayAdd: boolean }) {
  const { t } = useTranslation();
  const [adding, setAdding] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<DirectoryToken>();
  const { data, error, refetch } = useQuery(provisioningQuery(org));
  const revoke = useChange((token: DirectoryToken) => revokeDirectoryToken(token), {
    refresh: ['provisioning', org],
    done: t('settings.revoked'),
  });
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <div className="page-head">
        <h2>{t('provisioning.title')}</h2>
        {mayAdd && (
          <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setAdding(true)}>
            {t('provisioning.add')}
          </Button>
        )}
      </div>
      <p className="lead">{t(mayAdd ? 'provisioning.lead' : 'provisioning.lead_admin')}</p>
      {data && data.tokens.length > 0 && (
        <p className="row">
          <span className="dim">{t('provisioning.url')}</span>
          <Mono text={data.url} what={t('provisioning.url')} />
        </p>
      )}
      <SecretTable
        rows={data?.tokens}
        extra={{
          title: t('provisioning.role'),
          of: (token) => t(`settings.roles.${token.role as MemberRole}`),
        }}
        onRevoke={setRevoking}
      />
      {adding && (
        <TokenForm
          org={org}
          onClose={() => setAdding(false)}
          onMade={(made) => {
            setAdding(false);
            setSecret(made);
          }}
        />
      )}
      {secret && (
        <Shown title={t('provisioning.new_token')} secret={secret} onClose={() => setSecret(undefined)}>
          {t('provisioning.new_token_means')}
        </Shown>
      )}
      <Confirm
        opened={revoking !== undefined}
        title={t('settings.revoke_title', { name: revoking?.name })}
        verb={t('action.revoke')}
        danger
        onClose={() => setRevoking(undefined)}
        onConfirm={() => {
          if (revoking) revoke.mutate(revoking);
          setRevoking(undefined);
        }}
      >
        {t('provisioning.revoke_means')}
      </Confirm>
    </>
  );
}

function TokenForm({ org, onClose, onMade }: { org: number; onClose: () => void; onMade: (secret: string) => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [role, setRole] = useState<string>('viewer');
  const make = useChange(() => createDirectoryToken(org, name, role), {
    refresh: ['provisioning', org],
    onDone: (made) => onMade(made.secret),
  });
  return (
    <FormModal
      title={t('provisioning.add')}
      verb={t('action.add')}
      busy={make.isPending}
      size="sm"
      onSubmit={() => make.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('settings.name')}
        description={t('provisioning.name_hint')}
        required
        maxLength={100}
        data-autofocus
        value={name}
        onChange={(e) => setName(e.currentTarget.value)}
      />
      <Select
        label={t('provisioning.role')}
        description={t('provisioning.role_hint')}
        allowDeselect={false}
        data={ROLES.map((each) => ({ value: each, label: t(`settings.roles.${each}`) }))}
        value={role}
        onChange={(next) => next && setRole(next)}
      />
    </FormModal>
  );
}
