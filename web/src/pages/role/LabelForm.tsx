import { NumberInput, Select, Switch, TextInput } from '@mantine/core';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type RoleRef, setLabel } from '../../api/roles.ts';
import type { Label, RoleVersion } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { Changes } from './Changes.tsx';
import { Reason } from './MoveProduction.tsx';
import classes from './Role.module.css';

interface Props {
  role: RoleRef;
  /** Absent to make one. */
  label?: Label;
  taken: string[];
  /** To which it can point, newest first. */
  versions: RoleVersion[];
  onClose: () => void;
}

/** Makes a label or moves it; what a protected one would change is asked once more. */
export function LabelForm({ role, label, taken, versions, onClose }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [version, setVersion] = useState(label?.version ?? versions[0]?.version ?? 1);
  const [canary, setCanary] = useState(label?.canary_version ?? 0);
  const [share, setShare] = useState<string | number>(label?.canary_share || 10);
  const [kept, setKept] = useState(label?.protected ?? false);
  const [reason, setReason] = useState('');
  const [asking, setAsking] = useState(false);
  const to = {
    version,
    canary_version: canary,
    canary_share: canary === 0 ? 0 : Number(share),
    protected: kept,
  };
  const move = useChange(() => setLabel(role, label?.name ?? name, { ...to, override: label?.protected, reason }), {
    refresh: ['roles'],
    done: t('labels.saved', { label: label?.name ?? name }),
    onDone: onClose,
  });
  const option = ({ version: of, updated_by, notes }: RoleVersion) => ({
    value: String(of),
    label: [t('versions.one', { version: of }), updated_by, notes].filter(Boolean).join(' · '),
  });
  // One dialog at a time: Escape leads from the question back to the form.
  if (asking) {
    return (
      <Confirm
        opened
        title={t('labels.confirm_title', { label: label?.name })}
        verb={t('labels.move')}
        busy={move.isPending}
        onClose={() => setAsking(false)}
        onConfirm={() => move.mutate(undefined, { onError: () => setAsking(false) })}
      >
        <p className={classes.means}>
          <strong>
            <Changes from={label ?? null} to={to} />
          </strong>
          <br />
          {t('labels.is_protected', { label: label?.name })} {t('labels.move_means')}
        </p>
      </Confirm>
    );
  }
  return (
    <FormModal
      title={label ? t('labels.move_title', { label: label.name }) : t('labels.add')}
      busy={move.isPending}
      onSubmit={() => {
        if (label?.protected) setAsking(true);
        else if (label || !taken.includes(name)) move.mutate(undefined);
      }}
      onClose={onClose}
    >
      {!label && (
        <TextInput
          label={t('labels.label')}
          description={t('labels.name_hint')}
          required
          pattern="[a-z][a-z0-9\-]{0,31}"
          data-autofocus
          error={taken.includes(name) && t('labels.taken')}
          value={name}
          onChange={(e) => setName(e.currentTarget.value)}
        />
      )}
      <Select
        label={t('labels.version')}
        allowDeselect={false}
        data-autofocus
        data={versions.map(option)}
        value={String(version)}
        onChange={(next) => {
          setVersion(Number(next));
          if (Number(next) === canary) setCanary(0);
        }}
      />
      <div className={classes.canary}>
        <Select
          label={t('labels.canary')}
          description={t('labels.canary_hint')}
          placeholder={t('labels.no_canary')}
          clearable
          clearButtonProps={{ 'aria-label': t('labels.no_canary') }}
          data={versions.filter((each) => each.version !== version).map(option)}
          value={canary === 0 ? null : String(canary)}
          onChange={(next) => setCanary(Number(next ?? 0))}
        />
        <NumberInput
          label={t('labels.share')}
          suffix=" %"
          allowDecimal={false}
          required
          disabled={canary === 0}
          min={1}
          max={100}
          value={share}
          onChange={setShare}
        />
      </div>
      <Switch
        label={t('labels.protect')}
        description={t('labels.protect_hint')}
        checked={kept}
        onChange={(e) => setKept(e.currentTarget.checked)}
      />
      <Reason value={reason} onChange={setReason} />
    </FormModal>
  );
}
