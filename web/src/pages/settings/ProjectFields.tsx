import { Fieldset, NumberInput, Select, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { ProjectSettings } from '../../api/types.ts';
import { LANGUAGES, type Language } from '../../i18n/index.ts';
import classes from './ProjectFields.module.css';

const VISIBILITIES = ['members', 'organisation'] as const;
const SHOWN = ['show_sql', 'show_personal', 'show_prompts'] as const;
const SHOW = ['', 'everyone', 'nobody'] as const;
const SIGNALS = ['traces', 'logs', 'metrics'] as const;

interface Props {
  value: ProjectSettings;
  disabled?: boolean;
  onChange: (next: ProjectSettings) => void;
}

/** What a project is set to, when it is made and later. */
export function ProjectFields({ value, disabled, onChange }: Props) {
  const { t } = useTranslation();
  const set = (part: Partial<ProjectSettings>) => onChange({ ...value, ...part });
  return (
    <>
      <TextInput
        label={t('settings.name')}
        required
        maxLength={100}
        disabled={disabled}
        data-autofocus
        value={value.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      <Select
        label={t('project.language')}
        description={t('project.language_hint')}
        allowDeselect={false}
        disabled={disabled}
        data={Object.entries(LANGUAGES).map(([code, label]) => ({ value: code, label }))}
        value={value.language}
        onChange={(language) => language && set({ language: language as Language })}
      />
      <Fieldset legend={t('project.retention')} className={classes.group}>
        <div className={classes.numbers}>
          {SIGNALS.map((signal) => (
            <NumberInput
              key={signal}
              label={t(`project.signal.${signal}`)}
              required
              min={1}
              max={3650}
              allowDecimal={false}
              disabled={disabled}
              suffix={t('project.days')}
              value={value.retention?.[signal]}
              onChange={(days) => set({ retention: { ...value.retention, [signal]: Number(days) } })}
            />
          ))}
        </div>
        <p className="soft">{t('project.retention_hint')}</p>
      </Fieldset>
      <Fieldset legend={t('project.rate')} className={classes.group}>
        <div className={classes.numbers}>
          {SIGNALS.map((signal) => (
            <NumberInput
              key={signal}
              label={t(`project.items.${signal}`)}
              required
              min={0}
              max={2_147_483_647}
              allowDecimal={false}
              thousandSeparator=","
              disabled={disabled}
              suffix={t('project.a_second')}
              value={value.rate?.[signal] ?? 0}
              onChange={(rate) => set({ rate: { ...value.rate, [signal]: Number(rate) } })}
            />
          ))}
        </div>
        <p className="soft">{t('project.rate_hint')}</p>
      </Fieldset>
      <Fieldset legend={t('project.access')} className={classes.group}>
        <Select
          label={t('project.visibility')}
          allowDeselect={false}
          disabled={disabled}
          data={VISIBILITIES.map((v) => ({ value: v, label: t(`project.visible.${v}`) }))}
          value={value.access?.visibility ?? 'members'}
          onChange={(v) => set({ access: { ...value.access, visibility: VISIBILITIES.find((each) => each === v) } })}
        />
        {SHOWN.map((what) => (
          <Select
            key={what}
            label={t(`project.${what}`)}
            allowDeselect={false}
            disabled={disabled}
            data={SHOW.map((v) => ({ value: v || 'role', label: t(`project.show.${v || 'role'}`) }))}
            value={value.access?.[what] || 'role'}
            onChange={(v) => set({ access: { ...value.access, [what]: v === 'role' ? '' : v } })}
          />
        ))}
        <p className="soft">{t('project.access_hint')}</p>
      </Fieldset>
    </>
  );
}
