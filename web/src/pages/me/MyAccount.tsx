import { SegmentedControl, useMantineColorScheme } from '@mantine/core';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../api/session.ts';
import { changeLanguage, LANGUAGES, type Language } from '../../i18n/index.ts';
import { useTitle } from '../../parts/useTitle.ts';
import classes from './MyAccount.module.css';
import { Notifications } from './Notifications.tsx';
import { PasswordForm } from './PasswordForm.tsx';
import { Sessions } from './Sessions.tsx';
import { Tokens } from './Tokens.tsx';
import { TwoStep } from './TwoStep.tsx';

const SCHEMES = ['light', 'dark', 'auto'] as const;

/** The reader's own account: password, API tokens, and how the screens look to them. */
export function MyAccount() {
  const { t, i18n } = useTranslation();
  const { data: me } = useSuspenseQuery(meQuery);
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  useTitle(t('frame.me'));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('frame.me')}</h1>
      </div>
      <p className="lead">{`${me.user.name} · ${me.user.email}`}</p>
      <section className={classes.part} aria-label={t('me.screens')}>
        <h2>{t('me.screens')}</h2>
        <div className={classes.choices}>
          <SegmentedControl
            aria-label={t('me.language')}
            value={i18n.language}
            onChange={(next) => void changeLanguage(next as Language)}
            data={Object.entries(LANGUAGES).map(([value, label]) => ({ value, label }))}
          />
          <SegmentedControl
            aria-label={t('me.theme')}
            value={colorScheme}
            onChange={(next) => setColorScheme(next as (typeof SCHEMES)[number])}
            data={SCHEMES.map((value) => ({ value, label: t(`me.scheme.${value}`) }))}
          />
        </div>
      </section>
      {!me.must_enrol && (
        <section className={classes.part} aria-label={t('me.password')}>
          <h2>{t('me.password')}</h2>
          <PasswordForm email={me.user.email} />
        </section>
      )}
      <section className={classes.part} aria-label={t('totp.title')}>
        <TwoStep email={me.user.email} must={me.must_enrol} />
      </section>
      {!me.must_enrol && (
        <>
          <section className={classes.part} aria-label={t('notifications.title')}>
            <Notifications email={me.user.email} />
          </section>
          <section className={classes.part} aria-label={t('sessions.title')}>
            <Sessions />
          </section>
          <section className={classes.part} aria-label={t('me.tokens')}>
            <Tokens />
          </section>
        </>
      )}
    </div>
  );
}
