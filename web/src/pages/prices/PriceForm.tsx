import { Checkbox, NumberInput, SegmentedControl, Select, TextInput } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Named, setPrice, startRecount } from '../../api/prices.ts';
import { providerNamesQuery } from '../../api/providers.ts';
import type { Price } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { toastProblem } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useNow } from '../../parts/useNow.ts';
import { type Draft, draftOf, editOf, isPast, KINDS, type Kind } from './draft.ts';
import classes from './Prices.module.css';

interface Props {
  /** Of whose provider: an organisation's, or the installation's with 0. */
  org: number;
  /** Absent to name a model; without amounts to set its first price. */
  price?: Named & Partial<Price>;
  known: Price[];
  /** Whether the costs of logged calls may be counted again, which is for the whole installation. */
  recounts: boolean;
  onClose: () => void;
}

/** What a model costs from a moment on. */
export function PriceForm({ org, price, known, recounts, onClose }: Props) {
  const { t } = useTranslation();
  const now = useNow();
  const client = useQueryClient();
  const { data: configured = [] } = useQuery(providerNamesQuery(org));
  // An organisation sets prices of providers it has, the installation also of such as it had.
  const providers = [...new Set([...configured, ...(org ? [] : known.map((p) => p.provider))])].sort();
  const [provider, setProvider] = useState(price?.provider ?? '');
  const [model, setModel] = useState(price?.model ?? '');
  const [draft, setDraft] = useState(() => draftOf(price, Date.now()));
  const [recount, setRecount] = useState(true);
  const past = isPast(draft, now);
  const set = (part: Partial<Draft>) => setDraft((old) => ({ ...old, ...part }));
  const save = useChange(() => setPrice(org, { provider, model }, editOf(draft)), {
    refresh: ['prices'],
    done: t(
      past
        ? recounts
          ? 'prices.saved_past'
          : 'prices.own.saved_past'
        : draft.when === 'at'
          ? 'prices.saved_at'
          : 'prices.saved',
    ),
    onDone: (stored) => {
      onClose();
      if (recounts && past && recount && stored.from) {
        startRecount(stored.from)
          .catch(toastProblem)
          .finally(() => void client.invalidateQueries({ queryKey: ['recounts'] }));
      }
    },
  });
  return (
    <FormModal
      title={price ? t('prices.edit', { model: price.model }) : t('prices.add')}
      size="lg"
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      {!price && (
        <>
          <Select
            label={t('prices.provider')}
            required
            data-autofocus
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
      <p className={classes.means}>{t('prices.per_million')}</p>
      <div className="pair">
        <Usd kind="input" draft={draft} onChange={set} />
        <Usd kind="output" draft={draft} onChange={set} />
      </div>
      <div className={classes.kinds}>
        {KINDS.slice(2).map((kind) => (
          <Usd key={kind} kind={kind} draft={draft} onChange={set} />
        ))}
      </div>
      <div className={classes.from}>
        <SegmentedControl
          aria-label={t('prices.from')}
          data={[
            { value: 'now', label: t('prices.from_now') },
            { value: 'at', label: t('prices.from_at') },
          ]}
          value={draft.when}
          onChange={(next) => set({ when: next === 'at' ? 'at' : 'now' })}
        />
        {draft.when === 'at' && (
          <TextInput
            type="datetime-local"
            label={t('prices.from_moment')}
            description={t(
              past ? (recounts ? 'prices.from_past_hint' : 'prices.own.from_past_hint') : 'prices.from_hint',
            )}
            required
            value={draft.at}
            onChange={(e) => set({ at: e.currentTarget.value })}
          />
        )}
        {recounts && past && (
          <Checkbox
            label={t('prices.recount_too')}
            description={t('prices.recount_too_hint')}
            checked={recount}
            onChange={(e) => setRecount(e.currentTarget.checked)}
          />
        )}
      </div>
    </FormModal>
  );
}

interface UsdProps {
  kind: Kind;
  draft: Draft;
  onChange: (part: Partial<Draft>) => void;
}

function Usd({ kind, draft, onChange }: UsdProps) {
  const { t } = useTranslation();
  const required = kind === 'input' || kind === 'output';
  return (
    <NumberInput
      label={t(`prices.${kind}`)}
      placeholder={required ? undefined : t(kind === 'reasoning' ? 'prices.as_output' : 'prices.as_input')}
      required={required}
      prefix="$"
      min={0}
      max={1_000_000}
      decimalScale={6}
      step={0.1}
      value={draft[kind]}
      onChange={(next) => onChange({ [kind]: next })}
    />
  );
}
