import { ActionIcon, Button, NumberInput, Textarea, TextInput } from '@mantine/core';
import { IconArrowUp, IconPlus, IconTrash } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { updateRole } from '../../api/roles.ts';
import type { Role, RoleEdit } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import classes from './Roles.module.css';

type Chain = NonNullable<Role['chain']>;

export function RoleForm({ role }: { role: Role }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const close = () => void navigate({ to: '/roles', search: {} });
  const [edit, setEdit] = useState<RoleEdit>(() => pick(role));
  const [format, setFormat] = useState(() =>
    role.response_format ? JSON.stringify(role.response_format, null, 2) : '',
  );
  const set = (part: Partial<RoleEdit>) => setEdit((old) => ({ ...old, ...part }));
  const parsed = parse(format);
  const save = useChange(() => updateRole(role.code, role.version, { ...edit, response_format: parsed.value }), {
    refresh: ['roles'],
    done: t('roles.saved', { version: role.version + 1 }),
    onDone: close,
  });
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
    <FormModal
      title={t('roles.edit', { code: role.code, version: role.version })}
      size="xl"
      busy={save.isPending}
      onSubmit={() => parsed.ok && save.mutate(undefined)}
      onClose={close}
    >
      <TextInput
        label={t('roles.description')}
        maxLength={1000}
        value={edit.description}
        onChange={(e) => set({ description: e.currentTarget.value })}
      />
      <Textarea
        label={t('roles.system_message')}
        description={t('roles.system_message_hint')}
        required
        autosize
        minRows={8}
        maxRows={18}
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
          value={edit.rate_limit_interval_ms}
          onChange={(value) => set({ rate_limit_interval_ms: Number(value) })}
        />
      </div>
      <Textarea
        label={t('roles.response_format')}
        description={t('roles.response_format_hint')}
        autosize
        minRows={3}
        maxRows={12}
        classNames={{ input: classes.mono }}
        error={!parsed.ok && t('roles.not_json')}
        value={format}
        onChange={(e) => setFormat(e.currentTarget.value)}
      />
    </FormModal>
  );
}

/** The models in the order they are asked; the next one answers when one does not. */
function ChainEditor({ chain, onChange }: { chain: Chain; onChange: (chain: Chain) => void }) {
  const { t } = useTranslation();
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
          <TextInput
            aria-label={t('roles.provider')}
            placeholder={t('roles.provider')}
            required
            value={entry.provider}
            onChange={(e) => change(i, { provider: e.currentTarget.value.trim() })}
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
      {chain.length < 5 && (
        <Button
          variant="default"
          size="compact-xs"
          leftSection={<IconPlus size={14} />}
          onClick={() => onChange([...chain, { provider: 'openai', model: '', timeout_ms: 60_000 }])}
        >
          {t('roles.add_model')}
        </Button>
      )}
    </fieldset>
  );
}

/** Only what is edited: the API refuses fields it does not know. */
function pick({
  description,
  system_message,
  chain,
  parameters,
  response_format,
  rate_limit_interval_ms,
}: Role): RoleEdit {
  return { description, system_message, chain: chain ?? [], parameters, response_format, rate_limit_interval_ms };
}

function parse(text: string): { ok: boolean; value?: unknown } {
  if (text.trim() === '') return { ok: true };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}
