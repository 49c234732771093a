import { Button } from '@mantine/core';
import { IconLogin2 } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { loginPath, loginProvidersQuery } from '../../api/signin.ts';
import classes from './Login.module.css';

/** A button for each provider that one can log in with. Without any there is nothing to see. */
export function Providers({ to }: { to: string | undefined }) {
  const { t } = useTranslation();
  const { data: providers = [] } = useQuery(loginProvidersQuery);
  if (providers.length === 0) return null;
  return (
    <>
      <div className={classes.or}>{t('login.or')}</div>
      {providers.map((provider) => (
        <Button
          key={provider.code}
          component="a"
          href={loginPath(provider.code, to)}
          variant="default"
          size="sm"
          fullWidth
          leftSection={<IconLogin2 size={16} aria-hidden />}
        >
          {t('login.with', { name: provider.name })}
        </Button>
      ))}
    </>
  );
}
