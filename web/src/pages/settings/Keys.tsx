import { Button } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createKey, keysQuery, revokeKey } from '../../api/project.ts';
import type { Key } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { NameForm } from '../../parts/NameForm.tsx';
import { SecretTable } from '../../parts/SecretTable.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { useChange } from '../../parts/useChange.ts';

/** The project's ingest keys: write-only, one per sender if one likes. */
export function Keys({ project }: { project: number }) {
  const { t } = useTranslation();
  const [making, setMaking] = useState(false);
  const [secret, setSecret] = useState<string>();
  const [revoking, setRevoking] = useState<Key>();
  const { data: keys, error, refetch } = useQuery(keysQuery(project));
  const refresh = ['keys', project];
  const make = useChange((name: string) => createKey(project, name), {
    refresh,
    onDone: (made) => {
      setMaking(false);
      setSecret(made.secret);
    },
  });
  const revoke = useChange((key: Key) => revokeKey(project, key.id), { refresh, done: t('settings.revoked') });
  if (error && !keys) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <div className="page-head">
        <h2>{t('settings.tab.keys')}</h2>
        <Button leftSection={<IconPlus size={15} />} onClick={() => setMaking(true)}>
          {t('settings.add_key')}
        </Button>
      </div>
      <SecretTable rows={keys} onRevoke={setRevoking} />
      {making && (
        <NameForm
          title={t('settings.add_key')}
          busy={make.isPending}
          onSubmit={(name) => make.mutate(name)}
          onClose={() => setMaking(false)}
        />
      )}
      {secret && <Shown title={t('settings.new_key')} secret={secret} onClose={() => setSecret(undefined)} />}
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
        {t('settings.revoke_key_means')}
      </Confirm>
    </>
  );
}
