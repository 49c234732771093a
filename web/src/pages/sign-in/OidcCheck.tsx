import { Button, Group, Modal, Skeleton } from '@mantine/core';
import { IconCircleCheck } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { checkOidcProvider } from '../../api/signin.ts';
import { Mono } from '../../parts/Mono.tsx';
import { Notice } from '../../parts/Notice.tsx';

/** Asks an issuer whether it answers as OpenID Connect wants, and tells what it says. */
export function OidcCheck({ code, onClose }: { code: string; onClose: () => void }) {
  const { t } = useTranslation();
  const { data, error, isFetching, refetch } = useQuery({
    queryKey: ['oidc-check', code],
    queryFn: () => checkOidcProvider(code),
    retry: false,
    staleTime: 0,
    gcTime: 0,
  });
  return (
    <Modal
      opened
      onClose={onClose}
      size="lg"
      title={<strong>{t('oidc.check_of', { code })}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className="form" role="status" aria-busy={isFetching}>
        {isFetching ? (
          <Skeleton height={90} />
        ) : error ? (
          <Notice tone="critical" title={t('oidc.check_failed')}>
            <p>{asProblem(error).detail}</p>
            {t('oidc.check_failed_hint')}
          </Notice>
        ) : (
          data && (
            <>
              <span className="row">
                <IconCircleCheck size={16} color="var(--mx-ok)" aria-hidden />
                {t('oidc.check_ok')}
              </span>
              <span className="dim">{t('oidc.authorization')}</span>
              <Mono text={data.authorization} />
              {!data.pkce && <span className="soft">{t('oidc.no_pkce')}</span>}
              {data.missing.length > 0 && (
                <span className="soft">{t('oidc.missing', { scopes: data.missing.join(', ') })}</span>
              )}
            </>
          )
        )}
      </div>
      <Group justify="flex-end" gap={8} mt={14}>
        <Button variant="default" onClick={onClose}>
          {t('action.close')}
        </Button>
        <Button loading={isFetching} onClick={() => void refetch()}>
          {t('oidc.check_again')}
        </Button>
      </Group>
    </Modal>
  );
}
