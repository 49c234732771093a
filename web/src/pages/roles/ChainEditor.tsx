import { ActionIcon, Button, MultiSelect, NumberInput, Select, TextInput } from '@mantine/core';
import { IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { chainProvidersQuery } from '../../api/roles.ts';
import type { ChainEntry } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { FAILURES } from '../../parts/failures.ts';
import { ParameterFields } from './ParameterFields.tsx';
import { setParameters } from './parameters.ts';
import classes from './Roles.module.css';

interface Props {
  /** Whose role it is: 0 is the installation's. */
  org: number;
  chain: ChainEntry[];
  onChange: (chain: ChainEntry[]) => void;
}

/** The models in the order they are asked; the next one answers when one does not. */
export function ChainEditor({ org, chain, onChange }: Props) {
  const { t } = useTranslation();
  const { data: providers } = useQuery(chainProvidersQuery(org));
  // One that was taken out of the configuration is still shown, and refused on saving.
  const options = (current: string) =>
    [...new Set([...(providers ?? []), current])].filter(Boolean).map((value) => ({
      value,
      label: !providers || providers.includes(value) ? value : t('roles.not_configured', { provider: value }),
    }));
  const change = (at: number, part: Partial<ChainEntry>) =>
    onChange(chain.map((entry, i) => (i === at ? { ...entry, ...part } : entry)));
  return (
    <fieldset className={classes.chain}>
      <legend>{t('roles.chain')}</legend>
      {chain.length === 0 && <span className="dim">{t('roles.default_chain')}</span>}
      {chain.map((entry, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: an entry is its place in the order
        <div key={i} className={classes.entry}>
          <span className="dim">{i + 1}</span>
          <Select
            aria-label={t('roles.provider')}
            placeholder={t('roles.provider')}
            required
            allowDeselect={false}
            data={options(entry.provider)}
            error={providers && !providers.includes(entry.provider)}
            value={entry.provider || null}
            onChange={(provider) => change(i, { provider: provider ?? '' })}
          />
          <TextInput
            aria-label={t('roles.model')}
            placeholder={t('roles.model')}
            required
            value={entry.model}
            onChange={(e) => change(i, { model: e.currentTarget.value.trim() })}
          />
          <NumberInput
            aria-label={t('roles.timeout')}
            suffix=" ms"
            thousandSeparator=","
            min={0}
            max={600_000}
            value={entry.timeout_ms}
            onChange={(value) => change(i, { timeout_ms: Number(value) })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('roles.earlier')}
            disabled={i === 0}
            onClick={() =>
              onChange(chain.map((each, j) => (j === i - 1 ? entry : j === i ? (chain[i - 1] ?? each) : each)))
            }
          >
            <IconArrowUp size={16} />
          </ActionIcon>
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('action.delete')}
            onClick={() => onChange(chain.filter((_, j) => j !== i))}
          >
            <IconTrash size={16} />
          </ActionIcon>
          <EntryMore number={i + 1} entry={entry} onChange={(part) => change(i, part)} />
        </div>
      ))}
      {providers?.length === 0 && <span className="dim">{t('roles.no_provider')}</span>}
      {chain.length < 5 && (
        <Button
          variant="default"
          size="compact-xs"
          leftSection={<IconPlus size={14} />}
          disabled={!providers?.length}
          onClick={() => onChange([...chain, { provider: providers?.[0] ?? '', model: '', timeout_ms: 60_000 }])}
        >
          {t('roles.add_model')}
        </Button>
      )}
    </fieldset>
  );
}

interface MoreProps {
  number: number;
  entry: ChainEntry;
  onChange: (part: Partial<ChainEntry>) => void;
}

/** What few models need to be told: how long to wait for what, when to go on to the next, and other parameters. */
function EntryMore({ number, entry, onChange }: MoreProps) {
  const { t } = useTranslation();
  const wait = (name: 'first_token_ms' | 'between_ms') => (
    <NumberInput
      label={t(`roles.${name}`)}
      placeholder={t('roles.as_timeout')}
      suffix=" ms"
      thousandSeparator=","
      min={0}
      max={600_000}
      value={entry[name] || ''}
      onChange={(value) => onChange({ [name]: Number(value) || undefined })}
    />
  );
  const set = [
    entry.first_token_ms ? `${t('roles.first_token_ms')} ${durationMs(entry.first_token_ms)}` : '',
    entry.between_ms ? `${t('roles.between_ms')} ${durationMs(entry.between_ms)}` : '',
    entry.fall_through?.length ? t('roles.fall_through_of', { count: entry.fall_through.length }) : '',
    ...setParameters(entry.parameters).map(([name, value]) => `${t(`roles.parameter.${name}`)} ${value}`),
  ].filter(Boolean);
  return (
    <details className={`${classes.fold} ${classes.more}`}>
      <summary>
        {t('roles.entry_more', { number })}
        {set.length > 0 && <span className="dim">{` · ${set.join(' · ')}`}</span>}
      </summary>
      <div className={classes.parameters}>
        {wait('first_token_ms')}
        {wait('between_ms')}
        <MultiSelect
          className={classes.wide}
          label={t('roles.fall_through')}
          description={t('roles.fall_through_hint')}
          placeholder={entry.fall_through?.length ? undefined : t('roles.any_failure')}
          data={FAILURES.map((value) => ({ value, label: t(`failures.${value}`) }))}
          value={entry.fall_through ?? []}
          onChange={(fall_through) => onChange({ fall_through })}
        />
        <ParameterFields
          which="all"
          unset={t('roles.as_role')}
          parameters={entry.parameters}
          onChange={(parameters) => onChange({ parameters })}
        />
      </div>
    </details>
  );
}
