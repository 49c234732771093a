import { Button, Checkbox, Menu, Select } from '@mantine/core';
import {
  IconChevronDown,
  IconDownload,
  IconPlus,
  IconTargetArrow,
  IconTemplate,
  IconUpload,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelsQuery } from '../../api/project.ts';
import { deleteRule, ruleEvaluationQuery, rulesQuery, updateRule } from '../../api/rules.ts';
import type { Rule } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { save } from '../../parts/save.ts';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { type Draft, draftOf, freeName, fresh } from './draft.ts';
import { filtered, GROUPS, RULE_STATES, SEVERITIES } from './filter.ts';
import { History } from './History.tsx';
import { ImportForm } from './ImportForm.tsx';
import { KindPicker } from './KindPicker.tsx';
import { RuleForm } from './RuleForm.tsx';
import { RuleRow } from './RuleRow.tsx';
import classes from './Rules.module.css';
import { TemplateForm } from './TemplateForm.tsx';
import { written } from './transfer.ts';
import { useBulk } from './useBulk.ts';
import { useRuleWords } from './words.ts';

/** From how many ms on an evaluation is late: it runs every ten seconds. */
const LATE = 60_000;

type Dialog =
  | { what: 'kind' }
  | { what: 'import' }
  | { what: 'templates' }
  | { what: 'form'; rule?: Rule; start: Draft };

/** What counts as broken in this project. */
export function Rules() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<Dialog>();
  const [deleting, setDeleting] = useState<Rule[]>();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const { data: rules, error, isPending, refetch } = useQuery(rulesQuery(projectId));
  const { data: channels } = useQuery(channelsQuery(projectId));
  const { data: evaluation } = useQuery(ruleEvaluationQuery(projectId));
  const words = useRuleWords(projectId);
  const { history, ...filter } = useSearch({ from: '/home/projects/$project/rules' });
  const set = (next: Record<string, string | number | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: !('history' in next) });
  const bulk = useBulk(projectId);
  const toggle = useChange(
    (rule: Rule) => updateRule(projectId, rule.id, rule.version, { ...draftOf(rule), enabled: !rule.enabled }),
    { refresh: ['rules', projectId] },
  );
  useTitle(t('nav.rules'), project?.name);

  const told = (rule: Rule) => [
    rule.name,
    words.title(rule.kind),
    words.condition(rule),
    rule.service,
    rule.environment,
    rule.owner,
    ...Object.entries(rule.labels ?? {}).map(([name, value]) => `${name}=${value}`),
  ];
  const shown = filtered(rules ?? [], filter, words.kindOf, told);
  const picked = shown.filter((rule) => chosen.has(rule.id));
  const choose = (id: number) =>
    setChosen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const duplicate = (rule: Rule) =>
    setDialog({
      what: 'form',
      start: { ...draftOf(rule), name: freeName(rule.name, new Set(rules?.map((r) => r.name))) },
    });
  const download = (of: Rule[]) =>
    save(
      written(of, { channels: channels ?? [], views: words.views, kinds: words.kinds ?? [] }),
      'application/json',
      'rules',
      'json',
    );
  const turn = async (enabled: boolean) => {
    await bulk.run(
      picked.filter((rule) => rule.enabled !== enabled),
      (rule) => updateRule(projectId, rule.id, rule.version, { ...draftOf(rule), enabled }),
    );
    setChosen(new Set());
  };
  const columns = canWrite ? 7 : 6;
  const narrow = (name: 'group' | 'severity' | 'state', values: readonly string[], label: (value: never) => string) => (
    <Select
      aria-label={t(`rules.by.${name}`)}
      placeholder={t(`rules.by.${name}`)}
      w={150}
      clearable
      data={values.map((value) => ({ value, label: label(value as never) }))}
      value={filter[name] ?? null}
      onChange={(value) => set({ [name]: value ?? undefined })}
    />
  );

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.rules')}</h1>
        {evaluation && evaluation.enabled > 0 && (
          <span className={evaluation.behind_ms > LATE ? classes.late : 'dim'}>
            {t('rules.evaluated', { count: evaluation.enabled, ago: durationMs(evaluation.behind_ms) })}
          </span>
        )}
        {rules && rules.length > 0 && (
          <>
            <Filter label={t('rules.filter')} value={filter.q ?? ''} onChange={(q) => set({ q: q || undefined })} />
            {narrow('group', GROUPS, (v: (typeof GROUPS)[number]) => t(`rules.group.${v}`))}
            {narrow('severity', SEVERITIES, (v: (typeof SEVERITIES)[number]) => t(`rules.severity.${v}`))}
            {narrow('state', RULE_STATES, (v: (typeof RULE_STATES)[number]) => t(`rules.state.${v}`))}
          </>
        )}
        {canWrite && (
          <>
            <Button leftSection={<IconPlus size={15} />} onClick={() => setDialog({ what: 'kind' })}>
              {t('rules.add')}
            </Button>
            <Menu position="bottom-end">
              <Menu.Target>
                <Button variant="default" rightSection={<IconChevronDown size={14} />}>
                  {t('rules.more')}
                </Button>
              </Menu.Target>
              <Menu.Dropdown>
                <Menu.Item leftSection={<IconTemplate size={15} />} onClick={() => setDialog({ what: 'templates' })}>
                  {t('rules.templates')}
                </Menu.Item>
                <Menu.Item leftSection={<IconUpload size={15} />} onClick={() => setDialog({ what: 'import' })}>
                  {t('rules.import')}
                </Menu.Item>
                <Menu.Item
                  leftSection={<IconDownload size={15} />}
                  disabled={!rules?.length}
                  onClick={() => download(rules ?? [])}
                >
                  {t('rules.export_all')}
                </Menu.Item>
              </Menu.Dropdown>
            </Menu>
          </>
        )}
      </div>
      <section className="panel" aria-busy={isPending}>
        {error && !rules ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : rules?.length === 0 ? (
          <Empty icon={IconTargetArrow} title={t('rules.none')}>
            <p>{t('rules.none_hint')}</p>
            {canWrite && (
              <div className={classes.empty}>
                <Button onClick={() => setDialog({ what: 'templates' })}>{t('rules.templates')}</Button>
                <Button variant="default" onClick={() => setDialog({ what: 'import' })}>
                  {t('rules.import')}
                </Button>
              </div>
            )}
          </Empty>
        ) : (
          <>
            {canWrite && shown.length > 0 && (
              <div className={classes.bulk}>
                <Checkbox
                  aria-label={t('rules.choose_all')}
                  checked={picked.length === shown.length}
                  indeterminate={picked.length > 0 && picked.length < shown.length}
                  onChange={() => setChosen(picked.length > 0 ? new Set() : new Set(shown.map((rule) => rule.id)))}
                />
                {picked.length > 0 ? (
                  <>
                    <span>{t('rules.chosen', { n: picked.length })}</span>
                    <Button size="compact-xs" variant="default" loading={bulk.busy} onClick={() => void turn(true)}>
                      {t('rules.turn_on')}
                    </Button>
                    <Button size="compact-xs" variant="default" loading={bulk.busy} onClick={() => void turn(false)}>
                      {t('rules.turn_off')}
                    </Button>
                    <Button size="compact-xs" variant="default" onClick={() => download(picked)}>
                      {t('rules.export')}
                    </Button>
                    <Button size="compact-xs" variant="default" color="red" onClick={() => setDeleting(picked)}>
                      {t('action.delete')}
                    </Button>
                  </>
                ) : (
                  <span className="dim">{t('rules.shown', { shown: shown.length, all: rules?.length ?? 0 })}</span>
                )}
              </div>
            )}
            {rules && shown.length === 0 ? (
              <Empty icon={IconTargetArrow} title={t('rules.none_such')}>
                <Button
                  variant="default"
                  onClick={() => set({ q: undefined, group: undefined, severity: undefined, state: undefined })}
                >
                  {t('rules.all')}
                </Button>
              </Empty>
            ) : (
              <div className={classes.scroll}>
                <table className="table">
                  <thead>
                    <tr>
                      {canWrite && <th className={classes.check} aria-label={t('rules.choose_one')} />}
                      <th>{t('rules.column.name')}</th>
                      <th>{t('rules.column.condition')}</th>
                      <th>{t('rules.column.where')}</th>
                      <th>{t('rules.column.channels')}</th>
                      <th>{t('rules.column.changed')}</th>
                      <th aria-label={t('rules.column.actions')} />
                    </tr>
                  </thead>
                  <tbody>
                    {isPending && <SkeletonRows rows={3} columns={columns} />}
                    {shown.map((rule) => (
                      <RuleRow
                        key={rule.id}
                        rule={rule}
                        words={words}
                        channels={channels}
                        edits={
                          canWrite
                            ? {
                                chosen: chosen.has(rule.id),
                                turning: toggle.isPending && toggle.variables.id === rule.id,
                                onChoose: () => choose(rule.id),
                                onToggle: () => toggle.mutate(rule),
                                onEdit: () => setDialog({ what: 'form', rule, start: draftOf(rule) }),
                                onDuplicate: () => duplicate(rule),
                                onDelete: () => setDeleting([rule]),
                              }
                            : undefined
                        }
                        onHistory={() => set({ history: rule.id })}
                      />
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </>
        )}
      </section>
      {dialog?.what === 'kind' && (
        <KindPicker
          project={projectId}
          onChoose={(kind) => setDialog({ what: 'form', start: fresh(kind) })}
          onTemplates={() => setDialog({ what: 'templates' })}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog?.what === 'form' && (
        <RuleForm
          project={projectId}
          rule={dialog.rule}
          start={dialog.start}
          channels={channels ?? []}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog?.what === 'templates' && (
        <TemplateForm
          project={projectId}
          rules={rules ?? []}
          channels={channels ?? []}
          words={words}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog?.what === 'import' && (
        <ImportForm
          project={projectId}
          rules={rules ?? []}
          channels={channels ?? []}
          words={words}
          onClose={() => setDialog(undefined)}
        />
      )}
      {history && (
        <History
          project={projectId}
          rule={history}
          channels={channels}
          words={words}
          onClose={() => set({ history: undefined })}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={
          deleting?.length === 1
            ? t('rules.delete_title', { name: deleting[0]?.name })
            : t('rules.delete_titles', { n: deleting?.length })
        }
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          void bulk.run(deleting ?? [], (rule) => deleteRule(projectId, rule), t('rules.deleted'));
          setDeleting(undefined);
          setChosen(new Set());
        }}
      >
        {t('rules.delete_means')}
      </Confirm>
    </div>
  );
}
