import { NumberInput, Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { providersQuery, setPrice } from '../../api/prices.ts';
import type { Price } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';

interface Props {
  /** Absent to add one. */
  price?: Price;
  known: Price[];
  onClose: () => void;
}

export function PriceForm({ price, known, onClose }: Props) {
  const { t } = useTranslation();
  const { data: configured = [] } = useQuery(providersQuery);
  const providers = [...new Set([...configured, ...known.map((p) => p.provider)])].sort();
  const [provider, setProvider] = useState(price?.provider ?? '');
  const [model, setModel] = useState(price?.model ?? '');
  const [input, setInput] = useState<string | number>(price?.input ?? '');
  const [output, setOutput] = useState<string | number>(price?.output ?? '');
  const save = useChange(() => setPrice({ provider, model }, { input: Number(input), output: Number(output) }), {
    refresh: ['prices'],
    done: t('prices.saved'),
    onDone: onClose,
  });
  const amount = (name: 'input' | 'output', value: string | number, set: (value: string | number) => void) => (
    <NumberInput
      label={t(`prices.${name}`)}
      required
      prefix="$"
      min={0}
      max={1_000_000}
      decimalScale={6}
      step={0.1}
      value={value}
      onChange={set}
    />
  );
  return (
    <FormModal
      title={price ? t('prices.edit', { model: price.model }) : t('prices.add')}
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      {!price && (
        <>
          <Select
            label={t('prices.provider')}
            required
            allowDeselect={false}
            data={providers}
            value={provider || null}
            onChange={(next) => setProvider(next ?? '')}
          />
          <TextInput
            label={t('prices.model')}
            description={t('prices.model_hint')}
            required
            maxLength={200}
            value={model}
            onChange={(e) => setModel(e.currentTarget.value.trim())}
          />
        </>
      )}
      <div className="pair">
        {amount('input', input, setInput)}
        {amount('output', output, setOutput)}
      </div>
    </FormModal>
  );
}
