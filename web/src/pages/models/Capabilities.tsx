import { Button, MultiSelect, Textarea } from '@mantine/core';
import { IconCpu, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { capabilitiesQuery, deleteCapability, setCapability } from '../../api/models.ts';
import { providerNamesQuery } from '../../api/providers.ts';
import type { Capability } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { holds } from '../../parts/Filter.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { OneOf } from '../../parts/OneOf.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { PARAMETERS } from '../roles/parameters.ts';
import classes from './Models.module.css';

/** What can be rejected beside parameters. */
const REJECTS = [...PARAMETERS, 'tools', 'json_schema'] as const;

const nameOf = ({ provider, model }: Capability) => `${provider} ${model}`;

/** What models do not take, and is left out before they are asked. */
export function Capabilities({ q }: { q: string }) {
  const { t } = useTranslation();
  const [editing, setEditing] = useState<Capability | 'new'>();
  const [deleting, setDeleting] = useState<Capability>();
  const { data: rules, error, isPending, refetch } = useQuery(capabilitiesQuery);
  const removal = useChange(deleteCapability, { refresh: ['capabilities'], done: t('models.rule_deleted') });
  const shown = rules?.filter((rule) => holds(q, rule.provider, rule.model));
  return (
    <section aria-labelledby="capabilities">
      <div className="page-head">
        <h2 id="capabilities">{t('models.capabilities')}</h2>
        <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
          {t('models.add_rule')}
        </Button>
      </div>
      <p className="lead">{t('models.capabilities_lead')}</p>
      <div className="panel scroll-x" aria-busy={isPending}>
        {error && !rules ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : shown?.length === 0 ? (
          <Empty icon={IconCpu} title={q ? t('models.no_match', { q }) : t('models.no_rules')}>
            <p>{t(q ? 'models.no_match_hint' : 'models.no_rules_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('models.provider')}</th>
                <th>{t('models.model')}</th>
                <th>{t('models.rejects')}</th>
                <th>{t('models.either')}</th>
                <th>{t('models.notes')}</th>
                <th>{t('prices.changed')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={8} columns={7} />}
              {shown?.map((rule) => (
                <tr key={nameOf(rule)}>
                  <td>{rule.provider}</td>
                  <td className="nowrap">
                    <code>{rule.model}</code>
                  </td>
                  <td>
                    <Names names={rule.rejects ?? []} />
                  </td>
                  <td>
                    <Names names={rule.either ?? []} />
                  </td>
                  <td className="soft">{rule.notes}</td>
                  <td className="nowrap">
                    {rule.updated_at ? (
                      <>
                        <When at={rule.updated_at} /> <span className="dim">{rule.updated_by}</span>
                      </>
                    ) : (
                      <span className="dim">{t('prices.as_installed')}</span>
                    )}
                  </td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconPencil}
                        label={t('action.edit')}
                        of={nameOf(rule)}
                        onClick={() => setEditing(rule)}
                      />
                      <RowAction
                        icon={IconTrash}
                        label={t('action.delete')}
                        of={nameOf(rule)}
                        onClick={() => setDeleting(rule)}
                      />
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {editing && (
        <RuleForm
          rule={editing === 'new' ? undefined : editing}
          known={rules ?? []}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('models.delete_title', { model: deleting && nameOf(deleting) })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('models.delete_means')}
      </Confirm>
    </section>
  );
}

function Names({ names }: { names: string[] }) {
  if (names.length === 0) return <span className="dim">{'–'}</span>;
  return (
    <span className={classes.names}>
      {names.map((name) => (
        <code key={name}>{name}</code>
      ))}
    </span>
  );
}

interface FormProps {
  /** Absent to add one. */
  rule?: Capability;
  known: Capability[];
  onClose: () => void;
}

function RuleForm({ rule, known, onClose }: FormProps) {
  const { t } = useTranslation();
  const { data: configured = [] } = useQuery(providerNamesQuery(0));
  const [provider, setProvider] = useState(rule?.provider ?? '');
  const [model, setModel] = useState(rule?.model ?? '');
  const [rejects, setRejects] = useState(rule?.rejects ?? []);
  const [either, setEither] = useState(rule?.either ?? []);
  const [notes, setNotes] = useState(rule?.notes ?? '');
  const save = useChange(() => setCapability({ provider, model }, { rejects, either, notes }), {
    refresh: ['capabilities'],
    done: t('models.rule_saved'),
    onDone: onClose,
  });
  const nothing = rejects.length + either.length === 0;
  const taken = !rule && known.some((each) => each.provider === provider && each.model === model);
  const [tried, setTried] = useState(false);
  const word = (name: (typeof REJECTS)[number]) => ({
    value: name,
    label: `${t(`roles.parameter.${name}`)} · ${name}`,
  });
  return (
    <FormModal
      title={rule ? t('models.edit_rule', { model: nameOf(rule) }) : t('models.add_rule')}
      busy={save.isPending}
      onSubmit={() => {
        setTried(true);
        if (!nothing && !taken) save.mutate(undefined);
      }}
      onClose={onClose}
    >
      {!rule && (
        <>
          <OneOf
            label={t('models.provider')}
            description={t('models.provider_hint')}
            required
            data-autofocus
            data={[...new Set(['*', ...configured, ...known.map((each) => each.provider)])].sort()}
            value={provider}
            onChange={setProvider}
          />
          <OneOf
            label={t('models.model')}
            description={t('models.model_hint')}
            required
            error={taken && t('models.rule_taken')}
            value={model}
            onChange={setModel}
          />
        </>
      )}
      <MultiSelect
        label={t('models.rejects')}
        description={t('models.rejects_hint')}
        error={tried && nothing && t('models.rejects_nothing')}
        data={REJECTS.map(word)}
        value={rejects}
        onChange={setRejects}
      />
      <MultiSelect
        label={t('models.either')}
        description={t('models.either_hint')}
        data={PARAMETERS.map(word)}
        value={either}
        onChange={setEither}
      />
      <Textarea
        label={t('models.notes')}
        autosize
        minRows={2}
        maxRows={6}
        maxLength={1000}
        value={notes}
        onChange={(e) => setNotes(e.currentTarget.value)}
      />
    </FormModal>
  );
}
