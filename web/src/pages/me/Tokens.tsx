import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createToken, revokeToken, tokensQuery } from '../../api/people.ts';
import { meQuery } from '../../api/session.ts';
import type { Token } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { SecretTable } from '../../parts/SecretTable.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { TokenForm } from './TokenForm.tsx';

/** The reader's own API tokens. */
export function Tokens() {
  const { t } = useTranslation();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<Token>();
  const { data: me } = useQuery(meQuery);
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
          create={createToken}
          refresh={['tokens']}
          system={me?.user.system}
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
