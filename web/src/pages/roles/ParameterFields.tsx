import { NumberInput, Select, TagsInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Parameters } from '../../api/types.ts';
import { COMMON, EFFORTS, FURTHER, shown, typed } from './parameters.ts';

const RANGES = {
  temperature: [0, 2, 0.1],
  top_p: [0, 1, 0.05],
  max_tokens: [1, 1_000_000, 256],
  top_k: [1, 1_000_000, 1],
  seed: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1],
  presence_penalty: [-2, 2, 0.1],
  frequency_penalty: [-2, 2, 0.1],
} as const;

const WHOLE: readonly string[] = ['max_tokens', 'top_k', 'seed'];

interface Props {
  parameters?: Parameters;
  onChange: (parameters: Parameters) => void;
  /** What holds where nothing is set, in words. */
  unset: string;
  /** Asking: the common ones and the effort, for a call that is asked again. */
  which: 'common' | 'further' | 'asking' | 'all';
}

/** How a model is asked: what is not set is left to the model, or to the role. */
export function ParameterFields({ parameters = {}, onChange, unset, which }: Props) {
  const { t } = useTranslation();
  const set = (part: Partial<Parameters>) => onChange({ ...parameters, ...part });
  const numbers = [
    ...(which === 'further' ? [] : COMMON),
    ...(which === 'common' || which === 'asking' ? [] : FURTHER),
  ];
  return (
    <>
      {numbers.map((name) => {
        const [min, max, step] = RANGES[name];
        return (
          <NumberInput
            key={name}
            label={t(`roles.parameter.${name}`)}
            placeholder={unset}
            min={min}
            max={max}
            step={step}
            allowDecimal={!WHOLE.includes(name)}
            value={parameters[name] ?? ''}
            onChange={(value) => set({ [name]: value === '' ? undefined : Number(value) })}
          />
        );
      })}
      {which !== 'common' && (
        <Select
          label={t('roles.parameter.reasoning_effort')}
          placeholder={unset}
          clearable
          clearButtonProps={{ 'aria-label': t('roles.clear', { what: t('roles.parameter.reasoning_effort') }) }}
          data={EFFORTS.map((effort) => ({ value: effort, label: t(`roles.effort.${effort}`) }))}
          value={parameters.reasoning_effort || null}
          onChange={(effort) => set({ reasoning_effort: effort ?? undefined })}
        />
      )}
      {which !== 'common' && which !== 'asking' && (
        <TagsInput
          label={t('roles.parameter.stop')}
          placeholder={parameters.stop?.length ? undefined : unset}
          maxTags={4}
          splitChars={[]}
          value={(parameters.stop ?? []).map(shown)}
          onChange={(stop) => set({ stop: stop.map(typed) })}
        />
      )}
    </>
  );
}
