import { Button } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { endOtherSessions, endSession, sessionsQuery } from '../../api/signin.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { SessionTable } from '../../parts/SessionTable.tsx';
import { useChange } from '../../parts/useChange.ts';

/** Where the reader is signed in. */
export function Sessions() {
  const { t } = useTranslation();
  const [ending, setEnding] = useState(false);
  const { data: sessions, error, refetch } = useQuery(sessionsQuery);
  const end = useChange(endSession, { refresh: ['sessions'], done: t('sessions.ended') });
  const others = useChange(endOtherSessions, { refresh: ['sessions'], done: t('sessions.others_ended') });
  if (error && !sessions) return <Failure error={error} retry={() => void refetch()} />;
  return (
    <>
      <div className="page-head">
        <h2>{t('sessions.title')}</h2>
        {sessions && sessions.length > 1 && (
          <Button variant="default" onClick={() => setEnding(true)}>
            {t('sessions.end_others')}
          </Button>
        )}
      </div>
      <p className="lead">{t('sessions.lead')}</p>
      <SessionTable
        rows={sessions}
        action={(session) =>
          session.current ? (
            <span className="row nowrap">
              <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
              {t('sessions.current')}
            </span>
          ) : (
            <Button variant="default" size="compact-xs" onClick={() => end.mutate(session.id)}>
              {t('sessions.end')}
            </Button>
          )
        }
      />
      <Confirm
        opened={ending}
        title={t('sessions.end_others')}
        verb={t('sessions.end_others')}
        danger
        onClose={() => setEnding(false)}
        onConfirm={() => {
          others.mutate(undefined);
          setEnding(false);
        }}
      >
        {t('sessions.end_others_means')}
      </Confirm>
    </>
  );
}
