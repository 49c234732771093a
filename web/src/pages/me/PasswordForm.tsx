import { Button, PasswordInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changePassword } from '../../api/people.ts';
import { useChange } from '../../parts/useChange.ts';

const SHORTEST = 10;

/** Replaces the reader's own password; it is typed twice because it cannot be seen. */
export function PasswordForm({ email }: { email: string }) {
  const { t } = useTranslation();
  const [old, setOld] = useState('');
  const [fresh, setFresh] = useState('');
  const [again, setAgain] = useState('');
  const differs = again !== '' && again !== fresh;
  const save = useChange(() => changePassword(old, fresh), {
    refresh: ['me'],
    also: ['sessions'],
    done: t('me.password_changed'),
    onDone: () => {
      setOld('');
      setFresh('');
      setAgain('');
    },
  });
  return (
    <form
      className="form settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (fresh === again) save.mutate(undefined);
      }}
    >
      {/* Tells the browser's keeper of passwords whose this is. */}
      <input type="hidden" name="username" autoComplete="username" value={email} readOnly />
      <PasswordInput
        label={t('me.old_password')}
        required
        maxLength={256}
        autoComplete="current-password"
        value={old}
        onChange={(e) => setOld(e.currentTarget.value)}
      />
      <div className="pair">
        <PasswordInput
          label={t('me.new_password')}
          required
          minLength={SHORTEST}
          maxLength={256}
          autoComplete="new-password"
          value={fresh}
          onChange={(e) => setFresh(e.currentTarget.value)}
        />
        <PasswordInput
          label={t('me.new_password_again')}
          required
          maxLength={256}
          autoComplete="new-password"
          error={differs && t('me.differs')}
          value={again}
          onChange={(e) => setAgain(e.currentTarget.value)}
        />
      </div>
      <p className="soft" style={{ margin: 0 }}>
        {t('me.password_means', { count: SHORTEST })}
      </p>
      <div>
        <Button type="submit" loading={save.isPending} disabled={fresh !== again}>
          {t('me.change_password')}
        </Button>
      </div>
    </form>
  );
}
