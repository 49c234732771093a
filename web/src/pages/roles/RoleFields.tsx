import { NumberInput, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Role, RoleEdit } from '../../api/types.ts';
import { ChainEditor } from './ChainEditor.tsx';
import { type Draft, editIn } from './draft.ts';
import classes from './Roles.module.css';

interface Props {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

/** The fields of a role, for a new one and for one that is there. */
export function RoleFields({ draft, onChange }: Props) {
  const { t } = useTranslation();
  const { edit, format } = draft;
  const set = (part: Partial<RoleEdit>) => onChange({ ...draft, edit: { ...edit, ...part } });
  const parameter = (name: keyof Role['parameters'], min: number, max: number, step: number) => (
    <NumberInput
      label={t(`roles.parameter.${name}`)}
      placeholder={t('roles.unset')}
      min={min}
      max={max}
      step={step}
      value={edit.parameters[name] ?? ''}
      onChange={(value) =>
        set({ parameters: { ...edit.parameters, [name]: value === '' ? undefined : Number(value) } })
      }
    />
  );
  return (
    <>
      <TextInput
        label={t('roles.description')}
        maxLength={1000}
        value={edit.description ?? ''}
        onChange={(e) => set({ description: e.currentTarget.value })}
      />
      <Textarea
        label={t('roles.system_message')}
        description={t('roles.system_message_hint')}
        required
        autosize
        minRows={8}
        maxRows={24}
        classNames={{ input: classes.mono }}
        value={edit.system_message}
        onChange={(e) => set({ system_message: e.currentTarget.value })}
      />
      <ChainEditor chain={edit.chain ?? []} onChange={(chain) => set({ chain })} />
      <div className={classes.parameters}>
        {parameter('temperature', 0, 2, 0.1)}
        {parameter('top_p', 0, 1, 0.05)}
        {parameter('max_tokens', 1, 1_000_000, 256)}
        <NumberInput
          label={t('roles.rate_limit')}
          suffix=" ms"
          thousandSeparator=","
          min={0}
          value={edit.rate_limit_interval_ms ?? 0}
          onChange={(value) => set({ rate_limit_interval_ms: Number(value) })}
        />
      </div>
      <Textarea
        label={t('roles.response_format')}
        description={t('roles.response_format_hint')}
        autosize
        minRows={3}
        maxRows={16}
        classNames={{ input: classes.mono }}
        error={!editIn(draft) && t('roles.not_json')}
        value={format}
        onChange={(e) => onChange({ ...draft, format: e.currentTarget.value })}
      />
    </>
  );
}
