import { PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { beginSecondFactor, confirmSecondFactor } from '../../api/signin.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { Block } from '../../parts/Mono.tsx';
import { QR } from '../../parts/QR.tsx';
import { useChange } from '../../parts/useChange.ts';
import { CodeInput } from './CodeInput.tsx';
import classes from './MyAccount.module.css';

/** Sets a second factor up: the password, the QR code for the app, and a code that shows that the app has it. */
export function SetUp({
  email,
  onDone,
  onClose,
}: {
  email: string;
  onDone: (recovery: string[]) => void;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const [password, setPassword] = useState('');
  const [code, setCode] = useState('');
  const begin = useChange(() => beginSecondFactor(password), { refresh: ['totp'], known: ['password'] });
  const confirm = useChange(() => confirmSecondFactor(code), {
    refresh: ['totp'],
    also: ['me'],
    known: ['code'],
    done: t('totp.is_on'),
    onDone: (made) => onDone(made.codes),
  });
  const made = begin.data;
  if (!made) {
    return (
      <FormModal
        title={t('totp.set_up')}
        verb={t('totp.next')}
        busy={begin.isPending}
        size="sm"
        onSubmit={() => begin.mutate(undefined)}
        onClose={onClose}
      >
        <p className="soft" style={{ margin: 0 }}>
          {t('totp.password_first')}
        </p>
        <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
        <PasswordInput
          label={t('me.old_password')}
          required
          maxLength={256}
          autoComplete="current-password"
          data-autofocus
          error={begin.error && asProblem(begin.error).field === 'password' && t('me.wrong_password')}
          value={password}
          onChange={(e) => setPassword(e.currentTarget.value)}
        />
      </FormModal>
    );
  }
  return (
    <FormModal
      title={t('totp.set_up')}
      verb={t('totp.turn_on')}
      busy={confirm.isPending}
      onSubmit={() => confirm.mutate(undefined)}
      onClose={onClose}
    >
      <div className={classes.scan}>
        <QR text={made.uri} label={t('totp.qr')} />
        <div className="form">
          <p className="soft" style={{ margin: 0 }}>
            {t('totp.scan')}
          </p>
          <span className="dim">{t('totp.by_hand')}</span>
          <Block text={made.secret} what={t('totp.secret')} />
        </div>
      </div>
      <CodeInput value={code} onChange={setCode} error={confirm.error} />
    </FormModal>
  );
}
