import { Button, MultiSelect, Select, TextInput } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createToken, revokeToken, tokensQuery } from '../../api/people.ts';
import { meQuery } from '../../api/session.ts';
import type { Token } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { SecretTable } from '../../parts/SecretTable.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';

const SCOPES = [
  'project.read',
  'project.write',
  'project.admin',
  'ai.ask',
  'ai.model',
  'org.read',
  'org.admin',
  'data.unmasked',
];
const DAYS = ['7', '30', '90', '365'];

/** The reader's own API tokens. */
export function Tokens() {
  const { t } = useTranslation();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<Token>();
  const { data: tokens, error, refetch } = useQuery(tokensQuery);
  const revoke = useChange((token: Token) => revokeToken(token.id), {
    refresh: ['tokens'],
    done: t('settings.revoked'),
  });
  if (error && !tokens) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <div className="page-head">
        <h2>{t('me.tokens')}</h2>
        <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
          {t('settings.add_token')}
        </Button>
      </div>
      <p className="lead">{t('settings.tokens_lead')}</p>
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
        onRevoke={setRevoking}
      />
      {making && (
        <TokenForm
          onClose={() => setMaking(false)}
          onMade={(made) => {
            setMaking(false);
            setSecret(made);
          }}
        />
      )}
      {secret && <Shown title={t('settings.new_token')} secret={secret} onClose={() => setSecret(undefined)} />}
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
        {t('settings.revoke_token_means')}
      </Confirm>
    </>
  );
}

function TokenForm({ onClose, onMade }: { onClose: () => void; onMade: (secret: string) => void }) {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const [name, setName] = useState('');
  const [scopes, setScopes] = useState(['project.read']);
  const [days, setDays] = useState('30');
  const make = useChange(
    () => createToken(name, scopes, new Date(Date.now() + Number(days) * 86_400_000).toISOString()),
    {
      refresh: ['tokens'],
      onDone: (made) => onMade(made.secret),
    },
  );
  return (
    <FormModal
      title={t('settings.add_token')}
      verb={t('action.add')}
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
      <MultiSelect
        label={t('settings.scopes')}
        required
        data={me?.user.system ? [...SCOPES, 'system.admin'] : SCOPES}
        value={scopes}
        onChange={setScopes}
      />
      <Select
        label={t('settings.expires')}
        allowDeselect={false}
        data={DAYS.map((d) => ({ value: d, label: t('settings.days', { days: d }) }))}
        value={days}
        onChange={(d) => d && setDays(d)}
      />
    </FormModal>
  );
}
