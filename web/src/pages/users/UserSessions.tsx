import { Button, Group, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { endUserSessions, unlinkUser, userSessionsQuery } from '../../api/signin.ts';
import type { User } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { SessionTable } from '../../parts/SessionTable.tsx';
import { useChange } from '../../parts/useChange.ts';

/** Where an account is signed in, and the end of that. */
export function UserSessions({ user, onClose }: { user: User; onClose: () => void }) {
  const { t } = useTranslation();
  const { data: sessions, error, refetch } = useQuery(userSessionsQuery(user.id));
  const end = useChange(() => endUserSessions(user.id), {
    refresh: ['users', user.id, 'sessions'],
    done: t('users.signed_out', { email: user.email }),
    onDone: onClose,
  });
  const unlink = useChange(() => unlinkUser(user.id), {
    refresh: ['users', user.id, 'sessions'],
    done: t('users.unlinked', { email: user.email }),
    onDone: onClose,
  });
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={<strong>{t('users.sessions_of', { email: user.email })}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {error && !sessions ? <Failure error={error} retry={() => void refetch()} /> : <SessionTable rows={sessions} />}
      <Group justify="flex-end" gap={8} mt={14}>
        <Button variant="default" onClick={onClose}>
          {t('action.close')}
        </Button>
        {sessions?.some((s) => s.method === 'oidc') && (
          <Button variant="default" loading={unlink.isPending} onClick={() => unlink.mutate(undefined)}>
            {t('users.unlink')}
          </Button>
        )}
        {sessions && sessions.length > 0 && (
          <Button color="red.9" loading={end.isPending} onClick={() => end.mutate(undefined)}>
            {t('users.sign_out')}
          </Button>
        )}
      </Group>
    </Modal>
  );
}
