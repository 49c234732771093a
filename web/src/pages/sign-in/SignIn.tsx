import { useTranslation } from 'react-i18next';
import { DemandSwitch } from '../../parts/DemandSwitch.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { OidcProviders } from './OidcProviders.tsx';
import classes from './SignIn.module.css';

/** How people sign in to this installation. */
export function SignIn() {
  const { t } = useTranslation();
  useTitle(t('nav.signin'));
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.signin')}</h1>
      </div>
      <section className={classes.part} aria-label={t('totp.title')}>
        <h2>{t('totp.title')}</h2>
        <DemandSwitch org={0} />
      </section>
      <section className={classes.part} aria-label={t('oidc.title')}>
        <OidcProviders />
      </section>
    </div>
  );
}
