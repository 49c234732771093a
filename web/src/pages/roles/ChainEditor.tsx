import { ActionIcon, Button, NumberInput, Select, TextInput } from '@mantine/core';
import { IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { providersQuery } from '../../api/prices.ts';
import type { Role } from '../../api/types.ts';
import classes from './Roles.module.css';

type Chain = NonNullable<Role['chain']>;

/** The models in the order they are asked; the next one answers when one does not. */
export function ChainEditor({ chain, onChange }: { chain: Chain; onChange: (chain: Chain) => void }) {
  const { t } = useTranslation();
  const { data: providers } = useQuery(providersQuery);
  // One that was taken out of the configuration is still shown, and refused on saving.
  const options = (current: string) =>
    [...new Set([...(providers ?? []), current])].filter(Boolean).map((value) => ({
      value,
      label: !providers || providers.includes(value) ? value : t('roles.not_configured', { provider: value }),
    }));
  const change = (at: number, part: Partial<Chain[number]>) =>
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
