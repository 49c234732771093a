import { Button, PasswordInput, Skeleton, TextInput } from '@mantine/core';
import { IconCircleCheck, IconCircleDashed } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { removeSecondFactor, renewRecovery, secondFactorQuery } from '../../api/signin.ts';
import { count } from '../../format/number.ts';
import { Failure } from '../../parts/Failure.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { Notice } from '../../parts/Notice.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { CodeInput } from './CodeInput.tsx';
import classes from './MyAccount.module.css';
import { SetUp } from './SetUp.tsx';

/** The second factor of the reader's own account. */
export function TwoStep({ email, must }: { email: string; must: boolean }) {
  const { t } = useTranslation();
  const { data: factor, error, refetch } = useQuery(secondFactorQuery);
  const [doing, setDoing] = useState<'set-up' | 'renew' | 'remove'>();
  const [codes, setCodes] = useState<string[]>();
  const given = (made: string[]) => {
    setDoing(undefined);
    setCodes(made);
  };
  if (error && !factor) return <Failure error={error} retry={() => void refetch()} />;
  if (!factor) return <Skeleton height={64} />;
  return (
    <>
      <h2>{t('totp.title')}</h2>
      {must && (
        <div className={classes.must}>
          <Notice tone="warning" title={t('totp.must')}>
            {t('totp.must_means')}
          </Notice>
        </div>
      )}
      <p className="lead">{t('totp.lead')}</p>
      <p className="row">
        {factor.enabled ? (
          <>
            <IconCircleCheck size={16} color="var(--mx-ok)" aria-hidden />
            <span>
              {t('totp.on')} {factor.since && <When at={factor.since} />}
              {' · '}
              {t('totp.recovery_left', { n: count(factor.recovery) })}
            </span>
          </>
        ) : (
          <>
            <IconCircleDashed size={16} aria-hidden />
            <span>{t(factor.available ? 'totp.off' : 'totp.unavailable')}</span>
          </>
        )}
      </p>
      <div className="row">
        {!factor.enabled && factor.available && <Button onClick={() => setDoing('set-up')}>{t('totp.set_up')}</Button>}
        {factor.enabled && (
          <>
            <Button variant="default" onClick={() => setDoing('renew')}>
              {t('totp.renew')}
            </Button>
            {!factor.demanded && (
              <Button variant="default" onClick={() => setDoing('remove')}>
                {t('totp.remove')}
              </Button>
            )}
          </>
        )}
      </div>
      {factor.enabled && factor.demanded && <p className="dim">{t('totp.demanded')}</p>}
      {doing === 'set-up' && <SetUp email={email} onDone={given} onClose={() => setDoing(undefined)} />}
      {doing === 'renew' && <Renew onDone={given} onClose={() => setDoing(undefined)} />}
      {doing === 'remove' && <Remove email={email} onClose={() => setDoing(undefined)} />}
      {codes && (
        <Shown title={t('totp.recovery')} secret={codes.join('\n')} onClose={() => setCodes(undefined)}>
          {t('totp.recovery_means')}
        </Shown>
      )}
    </>
  );
}

function Renew({ onDone, onClose }: { onDone: (codes: string[]) => void; onClose: () => void }) {
  const { t } = useTranslation();
  const [code, setCode] = useState('');
  const renew = useChange(() => renewRecovery(code), {
    refresh: ['totp'],
    known: ['code'],
    onDone: (made) => onDone(made.codes),
  });
  return (
    <FormModal
      title={t('totp.renew')}
      verb={t('totp.renew')}
      busy={renew.isPending}
      size="sm"
      onSubmit={() => renew.mutate(undefined)}
      onClose={onClose}
    >
      <p className="soft" style={{ margin: 0 }}>
        {t('totp.renew_means')}
      </p>
      <CodeInput value={code} onChange={setCode} error={renew.error} />
    </FormModal>
  );
}

function Remove({ email, onClose }: { email: string; onClose: () => void }) {
  const { t } = useTranslation();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const remove = useChange(() => removeSecondFactor(password, code), {
    refresh: ['totp'],
    also: ['me'],
    known: ['code', 'password'],
    done: t('totp.removed'),
    onDone: onClose,
  });
  return (
    <FormModal
      title={t('totp.remove')}
      verb={t('totp.remove')}
      busy={remove.isPending}
      size="sm"
      onSubmit={() => remove.mutate(undefined)}
      onClose={onClose}
    >
      <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
      <PasswordInput
        label={t('me.old_password')}
        required
        maxLength={256}
        autoComplete="current-password"
        data-autofocus
        error={remove.error && asProblem(remove.error).field === 'password' && t('me.wrong_password')}
        value={password}
        onChange={(e) => setPassword(e.currentTarget.value)}
      />
      <TextInput
        label={t('login.code_or_recovery')}
        required
        maxLength={40}
        autoComplete="one-time-code"
        error={remove.error && asProblem(remove.error).field === 'code' && t('login.code_wrong')}
        value={code}
        onChange={(e) => setCode(e.currentTarget.value)}
      />
    </FormModal>
  );
}
