import { NumberInput, Select, Switch, Textarea, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { RoleEdit } from '../../api/types.ts';
import { PolicyFields } from '../masking/PolicyFields.tsx';
import { policyIn, policyText } from '../masking/policy.ts';
import { usePolicyProblem } from '../masking/usePolicyProblem.ts';
import { ChainEditor } from './ChainEditor.tsx';
import type { Draft } from './draft.ts';
import { formatFault } from './format.ts';
import { ParameterFields } from './ParameterFields.tsx';
import { FURTHER, setParameters } from './parameters.ts';
import classes from './Roles.module.css';

interface Props {
  /** Whose role it is: 0 is the installation's. */
  org: number;
  draft: Draft;
  onChange: (draft: Draft) => void;
}

/** What of the parameters is folded away, until one of them is set. */
const FOLDED: readonly string[] = [...FURTHER, 'stop', 'reasoning_effort'];

/** The fields of a role, for a new one and for one that is there. */
export function RoleFields({ org, draft, onChange }: Props) {
  const { t } = useTranslation();
  const { edit, format, masking } = draft;
  const policy = policyText(policyIn(masking));
  const problem = usePolicyProblem(masking);
  const set = (part: Partial<RoleEdit>) => onChange({ ...draft, edit: { ...edit, ...part } });
  const further = setParameters(edit.parameters).filter(([name]) => FOLDED.includes(name));
  return (
    <>
      <TextInput
        label={t('roles.name')}
        description={t('roles.name_hint')}
        maxLength={200}
        value={edit.name ?? ''}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
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
      <ChainEditor org={org} chain={edit.chain} onChange={(chain) => set({ chain })} />
      <div className={classes.parameters}>
        <ParameterFields
          which="common"
          unset={t('roles.unset')}
          parameters={edit.parameters}
          onChange={(parameters) => set({ parameters })}
        />
        <NumberInput
          label={t('roles.retries')}
          placeholder={t('roles.retries_default')}
          allowDecimal={false}
          min={0}
          max={10}
          value={edit.retries ?? ''}
          onChange={(value) => set({ retries: value === '' ? undefined : Number(value) })}
        />
        <NumberInput
          label={t('roles.rate_limit')}
          suffix=" ms"
          thousandSeparator=","
          min={0}
          value={edit.rate_limit_interval_ms ?? 0}
          onChange={(value) => set({ rate_limit_interval_ms: Number(value) })}
        />
      </div>
      <details className={classes.fold}>
        <summary>
          {t('roles.further')}
          {further.length > 0 && (
            <span className="dim">
              {` · ${further.map(([name, value]) => `${t(`roles.parameter.${name}`)} ${value}`).join(' · ')}`}
            </span>
          )}
        </summary>
        <div className={classes.parameters}>
          <ParameterFields
            which="further"
            unset={t('roles.unset')}
            parameters={edit.parameters}
            onChange={(parameters) => set({ parameters })}
          />
        </div>
      </details>
      <Switch
        label={t('roles.log_optional')}
        description={t('roles.log_optional_hint')}
        checked={edit.log_optional ?? false}
        onChange={(e) => set({ log_optional: e.currentTarget.checked })}
      />
      <Select
        label={t('roles.keep_texts')}
        description={t('roles.keep_texts_hint')}
        data={(['', 'masked', 'none', 'originals'] as const).map((value) => ({
          value,
          label: t(`roles.keep.${value || 'installation'}` as const),
        }))}
        allowDeselect={false}
        value={edit.keep_texts ?? ''}
        onChange={(value) => set({ keep_texts: (value || undefined) as RoleEdit['keep_texts'] })}
      />
      <details className={classes.fold}>
        <summary>
          {t('roles.masking')}
          {policy.length > 0 && <span className="dim">{` · ${policy.slice(0, 3).join(' · ')}`}</span>}
        </summary>
        <div className="form">
          <p className={classes.second}>{t('roles.masking_hint')}</p>
          <PolicyFields draft={masking} onChange={(next) => onChange({ ...draft, masking: next })} problem={problem} />
        </div>
      </details>
      <Format text={format} onChange={(next) => onChange({ ...draft, format: next })} />
    </>
  );
}

function Format({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const { t } = useTranslation();
  const fault = formatFault(text);
  return (
    <Textarea
      label={t('roles.response_format')}
      description={t('roles.response_format_hint')}
      autosize
      minRows={3}
      maxRows={16}
      spellCheck={false}
      classNames={{ input: classes.mono }}
      error={
        fault &&
        [
          t('roles.format_at', { line: fault.line, column: fault.column }),
          fault.path && `${fault.path}:`,
          t(`roles.format_wants.${fault.wants}`),
        ]
          .filter(Boolean)
          .join(' ')
      }
      value={text}
      onChange={(e) => onChange(e.currentTarget.value)}
    />
  );
}
