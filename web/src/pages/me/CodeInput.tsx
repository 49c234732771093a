import { TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';

/** Six digits of an authenticator app. */
export function CodeInput({
  value,
  error,
  onChange,
}: {
  value: string;
  /** Of the last try. */
  error: Error | null;
  onChange: (code: string) => void;
}) {
  const { t } = useTranslation();
  return (
    <TextInput
      label={t('login.code')}
      required
      inputMode="numeric"
      autoComplete="one-time-code"
      pattern="[0-9]{3} ?[0-9]{3}"
      title={t('login.code_shape')}
      maxLength={7}
      data-autofocus
      error={error && asProblem(error).field === 'code' && t('login.code_wrong')}
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  );
}
