import { Button } from '@mantine/core';
import { IconChevronRight, IconCopyPlus, IconWorld } from '@tabler/icons-react';
import { Link, useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { copyRole } from '../../api/roles.ts';
import type { Role } from '../../api/types.ts';
import { Block, Mono } from '../../parts/Mono.tsx';
import { useChange } from '../../parts/useChange.ts';
import classes from './Role.module.css';
import { settingsText } from './roleText.ts';
import { roleLink } from './standing.ts';

/** A role of the installation as an organisation's people see it: as calls get it, and the way to one of their own. */
export function SharedRole({ org, role }: { org: number; role: Role }) {
  const { t } = useTranslation();
  const format = role.response_format ? JSON.stringify(role.response_format, null, 2) : '';
  return (
    <div className="page">
      <div className={classes.crumbs}>
        <Link to="/roles" search={{ org }}>
          {t('nav.roles')}
        </Link>
        <IconChevronRight size={14} aria-hidden />
        <span>{t('versions.one', { version: role.version })}</span>
      </div>
      <div className="page-head">
        <h1>{role.name || role.code}</h1>
        <MakeOwn org={org} code={role.code} />
      </div>
      <p className={classes.about}>
        {role.name && (
          <>
            <Mono text={role.code} />{' '}
          </>
        )}
        {role.description}
      </p>
      <div className={classes.standing}>
        <div>
          <IconWorld size={16} aria-hidden />
          <span>{t('roles.shared_means')}</span>
        </div>
      </div>
      <section className={classes.shared} aria-labelledby="shared-message">
        <h2 id="shared-message">{t('roles.system_message')}</h2>
        <Block text={role.system_message} what={t('roles.system_message')} />
        <h2>{t('roles.settings')}</h2>
        <Block text={settingsText({ ...role, deleted: false })} what={t('roles.settings')} />
        {format && (
          <>
            <h2>{t('roles.response_format')}</h2>
            <Block text={format} what={t('roles.response_format')} />
          </>
        )}
      </section>
    </div>
  );
}

/** Copies a role of the installation into an organisation, and leads to the copy. */
export function MakeOwn({ org, code, small }: { org: number; code: string; small?: boolean }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const copy = useChange(() => copyRole(org, code), {
    refresh: ['roles'],
    done: t('roles.made_own', { code }),
    onDone: (made) => void navigate(roleLink(made)),
  });
  return (
    <Button
      variant={small ? 'default' : 'filled'}
      size={small ? 'compact-xs' : 'sm'}
      leftSection={<IconCopyPlus size={small ? 14 : 15} />}
      loading={copy.isPending}
      aria-label={small ? `${t('roles.make_own')}: ${code}` : undefined}
      onClick={() => copy.mutate(undefined)}
    >
      {t('roles.make_own')}
    </Button>
  );
}
