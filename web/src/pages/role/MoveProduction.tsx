import { Textarea } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type RoleRef, setLabel } from '../../api/roles.ts';
import type { Label } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { Changes } from './Changes.tsx';
import classes from './Role.module.css';
import { PRODUCTION } from './standing.ts';

interface Props {
  role: RoleRef;
  production: Label;
  /** Where it goes: forward is a release, back is the way back. */
  version: number;
  onClose: () => void;
}

/** Makes another version the one that calls use, in one step and with what it changes named. */
export function MoveProduction({ role, production, version, onClose }: Props) {
  const { t } = useTranslation();
  const [reason, setReason] = useState('');
  const back = version < production.version;
  const to = { version, canary_version: 0, canary_share: 0, protected: production.protected };
  const move = useChange(() => setLabel(role, PRODUCTION, { ...to, override: true, reason }), {
    refresh: ['roles'],
    done: t(back ? 'labels.rolled_back' : 'labels.released', { version }),
    onDone: onClose,
  });
  return (
    <FormModal
      title={t(back ? 'labels.roll_back_title' : 'labels.release_title', { version })}
      verb={t(back ? 'labels.roll_back' : 'labels.release')}
      busy={move.isPending}
      onSubmit={() => move.mutate(undefined)}
      onClose={onClose}
    >
      <p className={classes.means}>
        <strong>
          <Changes from={production} to={to} />
        </strong>
        <br />
        {t('labels.move_means')}
      </p>
      <Reason value={reason} onChange={setReason} />
    </FormModal>
  );
}

/** Why a version is made or a label moved; it stays with the history. */
export function Reason({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useTranslation();
  return (
    <Textarea
      label={t('labels.reason')}
      description={t('labels.reason_hint')}
      autosize
      minRows={2}
      maxRows={6}
      maxLength={1000}
      data-autofocus
      value={value}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  );
}
