import { ActionIcon, Button, Menu, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import {
  IconLanguage,
  IconLogout,
  IconMenu2,
  IconMoon,
  IconPlayerPause,
  IconPlayerPlay,
  IconSearch,
  IconSun,
  IconUserCircle,
  IconUserCog,
} from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { logout, meQuery } from '../api/session.ts';
import { short } from '../format/time.ts';
import { changeLanguage, LANGUAGES } from '../i18n/index.ts';
import { toastProblem } from '../parts/toast.tsx';
import { useNow } from '../parts/useNow.ts';
import classes from './Frame.module.css';
import { setPaused, usePausedAt } from './live.ts';
import { ProjectSwitch } from './ProjectSwitch.tsx';
import { TimeRange } from './TimeRange.tsx';
import { useGoKeys } from './useGoKeys.ts';
import { useSearchKeys } from './useSearchKeys.ts';

const load = () => import('./Search.tsx');
const Search = lazy(() => load().then((m) => ({ default: m.Search })));

export function TopBar({ onMenu }: { onMenu?: () => void }) {
  const { t } = useTranslation();
  const [searching, setSearching] = useState(false);
  const search = useCallback(() => setSearching(true), []);
  useSearchKeys(search);
  useGoKeys();
  // Fetched once the page stands, so that no letter typed after the key is lost.
  useEffect(() => {
    const later = setTimeout(load, 500);
    return () => clearTimeout(later);
  }, []);
  return (
    <header className={classes.bar}>
      {onMenu && (
        <ActionIcon variant="subtle" color="gray" size={32} aria-label={t('frame.menu')} onClick={onMenu}>
          <IconMenu2 size={18} />
        </ActionIcon>
      )}
      <ProjectSwitch />
      <button
        type="button"
        className={classes.search}
        onClick={search}
        aria-label={t('search.label')}
        aria-keyshortcuts="/ Control+K"
      >
        <IconSearch size={15} aria-hidden />
        <span>{t('search.label')}</span>
        <kbd>{'/'}</kbd>
      </button>
      <TimeRange />
      <LiveToggle />
      <SchemeToggle />
      <LanguageToggle />
      <UserMenu />
      {searching && (
        <Suspense>
          <Search onClose={() => setSearching(false)} />
        </Suspense>
      )}
    </header>
  );
}

function LiveToggle() {
  const { t } = useTranslation();
  const pausedAt = usePausedAt();
  const now = useNow();
  const paused = pausedAt !== undefined;
  const Icon = paused ? IconPlayerPlay : IconPlayerPause;
  const label = t(paused ? 'frame.go_on' : 'frame.pause');
  return (
    <Tooltip label={label}>
      <Button
        className={classes.live}
        variant={paused ? 'light' : 'subtle'}
        color={paused ? undefined : 'gray'}
        px={8}
        leftSection={<Icon size={16} stroke={1.6} />}
        aria-label={label}
        aria-pressed={paused}
        onClick={() => setPaused(!paused)}
      >
        {paused ? t('frame.paused', { time: short(pausedAt, now) }) : t('frame.live')}
      </Button>
    </Tooltip>
  );
}

function SchemeToggle() {
  const { t } = useTranslation();
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const label = t(scheme === 'dark' ? 'frame.light' : 'frame.dark');
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={32}
        aria-label={label}
        onClick={() => setColorScheme(scheme === 'dark' ? 'light' : 'dark')}
      >
        {scheme === 'dark' ? <IconSun size={18} stroke={1.6} /> : <IconMoon size={18} stroke={1.6} />}
      </ActionIcon>
    </Tooltip>
  );
}

function LanguageToggle() {
  const { t, i18n } = useTranslation();
  const other = i18n.language === 'ko' ? 'en' : 'ko';
  const label = t('frame.language', { language: LANGUAGES[other] });
  return (
    <Tooltip label={label}>
      <ActionIcon
        variant="subtle"
        color="gray"
        size={32}
        aria-label={label}
        lang={other}
        onClick={() => void changeLanguage(other)}
      >
        <IconLanguage size={18} stroke={1.6} />
      </ActionIcon>
    </Tooltip>
  );
}

function UserMenu() {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const client = useQueryClient();
  const navigate = useNavigate();
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size={32} aria-label={t('frame.me')}>
          <IconUserCircle size={19} stroke={1.6} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          <div className="soft">{me?.user.name}</div>
          <div className="clip">{me?.user.email}</div>
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item leftSection={<IconUserCog size={16} />} onClick={() => void navigate({ to: '/me' })}>
          {t('frame.me')}
        </Menu.Item>
        <Menu.Item
          leftSection={<IconLogout size={16} />}
          onClick={async () => {
            let leadsTo = '';
            try {
              leadsTo = (await logout()).leads_to;
            } catch (error) {
              return toastProblem(error);
            }
            client.clear();
            if (leadsTo) return window.location.assign(leadsTo);
            await navigate({ to: '/login', search: {} });
          }}
        >
          {t('frame.logout')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
