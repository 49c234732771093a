import { NumberInput, Select, TextInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { AlarmParam } from '../../api/types.ts';
import { PromField } from '../../parts/metric/PromField.tsx';
import { patternFault } from './draft.ts';
import classes from './Rules.module.css';
import type { RuleWords } from './words.ts';

interface Props {
  project: number;
  param: AlarmParam;
  value: unknown;
  words: RuleWords;
  fault?: string;
  onChange: (value: unknown) => void;
}

/** The field of one parameter, by its type. */
export function ParamField({ project, param, value, words, fault, onChange }: Props) {
  const { t } = useTranslation();
  const label = words.param(param.name);
  const shared = {
    label,
    description: words.paramHint(param.name) || undefined,
    required: !param.optional,
    placeholder: param.optional ? t('rules.unsaid') : undefined,
    error: fault,
  };
  switch (param.type) {
    case 'number':
      return (
        <NumberInput
          {...shared}
          min={param.min ?? 0}
          max={param.max || undefined}
          clampBehavior="none"
          thousandSeparator=","
          suffix={param.unit ? (param.unit === '%' ? '%' : ` ${words.unit(param.unit)}`) : undefined}
          allowDecimal={!param.whole}
          value={typeof value === 'number' ? value : ''}
          onChange={(next) => onChange(next === '' ? undefined : Number(next))}
        />
      );
    case 'choice':
      return (
        <Select
          {...shared}
          allowDeselect={false}
          clearable={param.optional}
          data={(param.choices ?? []).map((each) => ({ value: each, label: words.choice(param.name, each) }))}
          value={typeof value === 'string' ? value : null}
          onChange={(next) => onChange(next ?? undefined)}
        />
      );
    case 'view':
      return (
        <Select
          {...shared}
          searchable
          clearable={param.optional}
          nothingFoundMessage={t('rules.no_views')}
          data={(['transactions', 'logs'] as const)
            .map((kind) => ({
              group: t(`nav.${kind}`),
              items: words.views.filter((v) => v.kind === kind).map((v) => ({ value: String(v.id), label: v.name })),
            }))
            .filter((group) => group.items.length > 0)}
          value={typeof value === 'number' ? String(value) : null}
          onChange={(next) => onChange(next ? Number(next) : undefined)}
        />
      );
    case 'promql':
      return (
        <div className={classes.wide}>
          <span className={classes.label} aria-hidden>
            {label}
            {!param.optional && <span className={classes.required}>{' *'}</span>}
          </span>
          {shared.description && <span className={classes.describes}>{shared.description}</span>}
          <PromField
            live
            project={project}
            label={label}
            value={typeof value === 'string' ? value : ''}
            wrong={fault !== undefined}
            onChange={onChange}
          />
          {fault && (
            <p className={classes.fault} role="alert">
              {fault}
            </p>
          )}
        </div>
      );
    default: {
      const text = typeof value === 'string' ? value : '';
      const wrong = param.type === 'pattern' && text ? patternFault(text) : undefined;
      return (
        <TextInput
          {...shared}
          error={fault ?? wrong}
          maxLength={4096}
          spellCheck={false}
          styles={param.type === 'pattern' ? { input: { fontFamily: 'var(--mx-mono)' } } : undefined}
          value={text}
          onChange={(e) => onChange(e.currentTarget.value)}
        />
      );
    }
  }
}
