import { Accordion, MultiSelect, NumberInput, Select, Switch, TagsInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { createRule, updateRule } from '../../api/rules.ts';
import { servicesQuery } from '../../api/services.ts';
import type { Channel, Rule } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { OneOf } from '../../parts/OneOf.tsx';
import { useChange } from '../../parts/useChange.ts';
import { type Draft, draftOf, labelOf, labelTexts, withParam } from './draft.ts';
import { SEVERITIES } from './filter.ts';
import { MuteFields } from './MuteFields.tsx';
import { ParamField } from './ParamField.tsx';
import classes from './Rules.module.css';
import { Trial } from './Trial.tsx';
import { useRuleWords } from './words.ts';

interface Props {
  project: number;
  /** Absent to make a new one. */
  rule?: Rule;
  /** What a new one begins with. */
  start: Draft;
  channels: Channel[];
  onClose: () => void;
}

/** What a rule counts, when that is an incident, and whom it tells. */
export function RuleForm({ project, rule, start, channels, onClose }: Props) {
  const { t } = useTranslation();
  const words = useRuleWords(project);
  const [edit, setEdit] = useState<Draft>(rule ? draftOf(rule) : start);
  const set = (part: Partial<Draft>) => setEdit((old) => ({ ...old, ...part }));
  const [typed, setTyped] = useState(() => labelTexts(edit.labels));
  const services = useQuery(servicesQuery(project, {}, { range: { range: '24h' } }));
  const kind = words.kindOf(edit.kind);
  const save = useChange(() => (rule ? updateRule(project, rule.id, rule.version, edit) : createRule(project, edit)), {
    refresh: ['rules', project],
    done: t('rules.saved'),
    known: /^(name|count|params\.|mutes\[)/,
    onDone: onClose,
  });
  const faults = save.error ? asProblem(save.error).faults : {};
  const unreadable = typed.find((text) => !labelOf(text));
  const known = services.data?.items ?? [];
  const environments = known
    .filter((s) => !edit.service || s.service === edit.service)
    .flatMap((s) => s.environments)
    .filter(Boolean);
  const number = (name: 'count' | 'window_minutes' | 'quiet_minutes', max: number, label: string, unit?: string) => (
    <NumberInput
      label={label}
      required
      min={1}
      max={max}
      clampBehavior="none"
      thousandSeparator=","
      suffix={unit && ` ${unit}`}
      allowDecimal={false}
      error={faults[name]}
      value={edit[name]}
      onChange={(value) => set({ [name]: Number(value) })}
    />
  );
  const faultyMute = Object.keys(faults).some((field) => field.startsWith('mutes'));
  const faultyUpkeep = ['owner', 'runbook', 'labels'].some((field) => field in faults);
  const [opened, setOpened] = useState<string[]>([]);
  const shown = [...opened, ...(faultyMute ? ['mutes'] : []), ...(faultyUpkeep ? ['upkeep'] : [])];
  return (
    <FormModal
      title={rule ? t('rules.edit') : t('rules.add')}
      busy={save.isPending}
      size="xl"
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <div>
        <strong>{words.title(edit.kind)}</strong>
        <p className={classes.about}>{words.hint(edit.kind)}</p>
      </div>
      <TextInput
        label={t('rules.field.name')}
        required
        maxLength={100}
        data-autofocus
        error={faults.name}
        value={edit.name}
        onChange={(e) => set({ name: e.currentTarget.value })}
      />
      {kind && kind.params.length > 0 && (
        <div className={classes.grid}>
          {kind.params.map((param) => (
            <ParamField
              key={param.name}
              project={project}
              param={param}
              words={words}
              value={edit.params[param.name]}
              fault={faults[`params.${param.name}`]}
              onChange={(value) => setEdit((old) => ({ ...old, params: withParam(old.params, param.name, value) }))}
            />
          ))}
        </div>
      )}
      <div className={classes.three}>
        {number('count', 10_000, t(kind?.minutes ? 'rules.field.count_minutes' : 'rules.field.count'))}
        {number('window_minutes', 1440, t('rules.field.window_minutes'), t('rules.unit.min'))}
        {number('quiet_minutes', 1440, t('rules.field.quiet_minutes'), t('rules.unit.min'))}
      </div>
      <p className={classes.sentence} aria-live="polite">
        {words.sentence(edit)}
      </p>
      {kind?.scoped !== false && (
        <div className={classes.grid}>
          <OneOf
            label={t('rules.field.service')}
            placeholder={t('rules.any_service')}
            data={known.map((s) => s.service)}
            limit={50}
            error={faults.service}
            value={edit.service}
            onChange={(service) => set({ service })}
          />
          <OneOf
            label={t('rules.field.environment')}
            placeholder={t('rules.any_environment')}
            data={[...new Set(environments)].sort()}
            error={faults.environment}
            value={edit.environment}
            onChange={(environment) => set({ environment })}
          />
        </div>
      )}
      <div className={classes.grid}>
        <Select
          label={t('rules.field.severity')}
          allowDeselect={false}
          data={SEVERITIES.map((value) => ({ value, label: t(`rules.severity.${value}`) }))}
          error={faults.severity}
          value={edit.severity}
          onChange={(severity) => severity && set({ severity: severity as Draft['severity'] })}
        />
        <MultiSelect
          label={t('rules.field.channels')}
          placeholder={edit.channels.length ? undefined : t('rules.all_channels')}
          data={channels.map((c) => ({ value: String(c.id), label: c.name }))}
          error={faults.channels}
          value={edit.channels.map(String)}
          onChange={(ids) => set({ channels: ids.map(Number) })}
        />
      </div>
      <Accordion multiple variant="contained" value={shown} onChange={setOpened}>
        <Accordion.Item value="upkeep">
          <Accordion.Control>
            {t('rules.upkeep')}
            <span className={classes.said}>
              {[edit.owner, edit.runbook && t('rules.field.runbook'), ...typed].filter(Boolean).join(' · ')}
            </span>
          </Accordion.Control>
          <Accordion.Panel>
            <div className="form">
              <div className={classes.grid}>
                <TextInput
                  label={t('rules.field.owner')}
                  maxLength={100}
                  error={faults.owner}
                  value={edit.owner}
                  onChange={(e) => set({ owner: e.currentTarget.value })}
                />
                <TextInput
                  label={t('rules.field.runbook')}
                  inputMode="url"
                  maxLength={2000}
                  placeholder={'https://'}
                  error={faults.runbook}
                  value={edit.runbook}
                  onChange={(e) => set({ runbook: e.currentTarget.value.trim() })}
                />
              </div>
              <TagsInput
                label={t('rules.field.labels')}
                placeholder={'team=payments'}
                error={unreadable !== undefined ? t('rules.bad_label', { label: unreadable }) : faults.labels}
                value={typed}
                onChange={(texts) => {
                  setTyped(texts);
                  set({
                    labels: Object.fromEntries(texts.flatMap((text) => [labelOf(text) ?? []].filter((l) => l.length))),
                  });
                }}
              />
            </div>
          </Accordion.Panel>
        </Accordion.Item>
        <Accordion.Item value="mutes">
          <Accordion.Control>
            {t('rules.field.mutes')}
            {edit.mutes.length > 0 && <span className={classes.said}>{edit.mutes.length}</span>}
          </Accordion.Control>
          <Accordion.Panel>
            <MuteFields mutes={edit.mutes} faults={faults} onChange={(mutes) => set({ mutes })} />
          </Accordion.Panel>
        </Accordion.Item>
      </Accordion>
      <Switch
        label={t('rules.field.enabled')}
        checked={edit.enabled}
        onChange={(e) => set({ enabled: e.currentTarget.checked })}
      />
      <Trial project={project} draft={edit} kind={kind} />
    </FormModal>
  );
}
