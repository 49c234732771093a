import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRouter, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { login } from '../../api/session.ts';
import { Mark } from '../../frame/Mark.tsx';
import { changeLanguage, type Language } from '../../i18n/index.ts';
import { Notice } from '../../parts/Notice.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import classes from './Login.module.css';
import { Providers } from './Providers.tsx';

const LANGUAGES: [Language, string][] = [
  ['ko', '한국어'],
  ['en', 'English'],
];

export function Login() {
  const { t, i18n } = useTranslation();
  const router = useRouter();
  const client = useQueryClient();
  const { to, failure } = useSearch({ from: '/login' });
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const [asked, setAsked] = useState(false);
  const attempt = useMutation({
    mutationFn: (given: string) => login(email.trim(), password, given),
    onError: (error) => setAsked((before) => before || asProblem(error).field === 'code'),
    onSuccess: async () => {
      client.clear();
      // Only a path of ours: an address from outside must not decide where a login leads.
      router.history.push(to && /^\/(?![/\\])/.test(to) ? to : '/');
    },
  });
  useTitle(t('login.title'));
  const problem = attempt.error && asProblem(attempt.error);
  // The first answer that asks for a code is a question, not a refusal.
  const question = problem?.field === 'code' && !attempt.variables;
  return (
    <main className={classes.page}>
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          attempt.mutate(code.trim());
        }}
      >
        <div className={classes.brand}>
          <Mark size={30} />
          <span translate="no">{'MATRIX'}</span>
        </div>
        <h1>{t('login.title')}</h1>
        {failure && !attempt.isSuccess && (
          <Notice tone="critical" title={t('login.failed')}>
            {t(`login.failure.${failure}`)}
          </Notice>
        )}
        {asked ? (
          <>
            <p className={classes.hint}>{t('login.code_means')}</p>
            <TextInput
              key="code"
              label={t('login.code_or_recovery')}
              name="code"
              autoComplete="one-time-code"
              required
              maxLength={40}
              size="sm"
              autoFocus
              value={code}
              onChange={(e) => setCode(e.currentTarget.value)}
            />
          </>
        ) : (
          <>
            <TextInput
              label={t('login.email')}
              type="email"
              name="email"
              autoComplete="username"
              required
              size="sm"
              value={email}
              onChange={(e) => setEmail(e.currentTarget.value)}
            />
            <PasswordInput
              label={t('login.password')}
              name="password"
              autoComplete="current-password"
              required
              size="sm"
              value={password}
              onChange={(e) => setPassword(e.currentTarget.value)}
              visibilityToggleButtonProps={{ 'aria-label': t('login.show') }}
            />
          </>
        )}
        <p className={classes.problem} role="alert">
          {problem &&
            !question &&
            (problem.field === 'code'
              ? t('login.code_wrong')
              : problem.status === 401
                ? t('login.wrong')
                : problem.status === 429
                  ? t('login.slow_down', { seconds: problem.retryAfter || 60 })
                  : t(`problem.${problem.reason}.what`))}
        </p>
        <Button type="submit" size="sm" fullWidth loading={attempt.isPending}>
          {t('login.submit')}
        </Button>
        {asked ? (
          <Button
            variant="subtle"
            size="compact-sm"
            onClick={() => {
              setAsked(false);
              setCode('');
              attempt.reset();
            }}
          >
            {t('login.back')}
          </Button>
        ) : (
          <>
            <Providers to={to} />
            <p className={classes.hint}>{t('login.hint')}</p>
          </>
        )}
      </form>
      <div className={classes.languages}>
        {LANGUAGES.map(([language, name]) => (
          <button
            key={language}
            type="button"
            lang={language}
            aria-pressed={i18n.language === language}
            onClick={() => void changeLanguage(language)}
          >
            {name}
          </button>
        ))}
      </div>
    </main>
  );
}
