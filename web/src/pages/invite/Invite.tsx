import { Button, PasswordInput, Skeleton, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useLocation, useRouter } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { acceptInvitation, joinByInvitation, offerQuery } from '../../api/people.ts';
import { asProblem } from '../../api/problem.ts';
import { login, meQuery } from '../../api/session.ts';
import { absolute } from '../../format/time.ts';
import { Mark } from '../../frame/Mark.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import classes from '../login/Login.module.css';
import { useRoleName } from '../members/RoleSelect.tsx';

/** Where the link of an invitation leads. Its secret stands behind the #, which no server sees. */
export function Invite() {
  const { t } = useTranslation();
  const router = useRouter();
  const client = useQueryClient();
  const roleName = useRoleName();
  const secret = useLocation().hash;
  const offer = useQuery(offerQuery(secret));
  const me = useQuery(meQuery);
  const [email, setEmail] = useState('');
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const address = offer.data?.email || email.trim();
  const take = useMutation({
    mutationFn: async () => {
      if (me.data) return acceptInvitation(secret);
      const joined = await joinByInvitation(secret, address, name.trim(), password);
      await login(address, password);
      return joined;
    },
    onSuccess: () => {
      client.clear();
      router.history.push('/');
    },
  });
  useTitle(t('invitations.page'));
  const problem = take.error && asProblem(take.error);
  return (
    <main className={classes.page}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          take.mutate();
        }}
      >
        <div className={classes.brand}>
          <Mark size={30} />
          <span translate="no">{'MATRIX'}</span>
        </div>
        <h1>{t('invitations.page')}</h1>
        {offer.error ? (
          <p role="alert">{t('invitations.gone')}</p>
        ) : !offer.data || me.isPending ? (
          <Skeleton height={120} aria-busy />
        ) : (
          <>
            <p>
              {t('invitations.offer', {
                by: offer.data.invited_by,
                place: [offer.data.organisation, offer.data.group].filter(Boolean).join(' › '),
                role: roleName(offer.data),
              })}
            </p>
            <p className={classes.hint}>{t('invitations.until', { at: absolute(offer.data.expires_at) })}</p>
            {me.data ? (
              <p>{t('invitations.as', { name: me.data.user.name, email: me.data.user.email })}</p>
            ) : (
              <>
                <TextInput
                  label={t('login.email')}
                  type="email"
                  autoComplete="username"
                  required
                  size="sm"
                  disabled={offer.data.email !== ''}
                  value={offer.data.email || email}
                  onChange={(e) => setEmail(e.currentTarget.value)}
                />
                <TextInput
                  label={t('settings.name')}
                  autoComplete="name"
                  maxLength={100}
                  size="sm"
                  value={name}
                  onChange={(e) => setName(e.currentTarget.value)}
                />
                <PasswordInput
                  label={t('login.password')}
                  autoComplete="new-password"
                  required
                  minLength={10}
                  size="sm"
                  value={password}
                  onChange={(e) => setPassword(e.currentTarget.value)}
                  visibilityToggleButtonProps={{ 'aria-label': t('login.show') }}
                />
              </>
            )}
            <p className={classes.problem} role="alert">
              {problem?.detail}
            </p>
            <Button type="submit" size="sm" fullWidth loading={take.isPending}>
              {t(me.data ? 'invitations.accept' : 'invitations.join')}
            </Button>
            {!me.data && (
              <p className={classes.hint}>
                <Link to="/login" search={{ to: `/invite#${secret}` }}>
                  {t('invitations.have_account')}
                </Link>
              </p>
            )}
          </>
        )}
      </form>
    </main>
  );
}
