import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { startRecount } from '../../api/prices.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useNow } from '../../parts/useNow.ts';
import classes from './Prices.module.css';
import { firstDays } from './recount.ts';

/** Asks from which day on costs are counted again. */
export function RecountForm({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const { min, max } = firstDays(useNow());
  const [day, setDay] = useState(max);
  const start = useChange(() => startRecount(`${day}T00:00:00Z`), {
    refresh: ['recounts'],
    done: t('recounts.begun'),
    onDone: onClose,
  });
  return (
    <FormModal
      title={t('recounts.start_title')}
      verb={t('recounts.start')}
      busy={start.isPending}
      onSubmit={() => start.mutate(undefined)}
      onClose={onClose}
    >
      <p className={classes.means}>{t('recounts.means')}</p>
      <TextInput
        type="date"
        label={t('recounts.from')}
        description={t('recounts.from_hint')}
        required
        data-autofocus
        min={min}
        max={max}
        value={day}
        onChange={(e) => setDay(e.currentTarget.value)}
      />
    </FormModal>
  );
}
