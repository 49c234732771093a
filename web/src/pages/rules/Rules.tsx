import { Button } from '@mantine/core';
import {
  IconCircleCheck,
  IconCircleDashed,
  IconHistory,
  IconPencil,
  IconPlus,
  IconTargetArrow,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelsQuery, deleteRule, rulesQuery } from '../../api/project.ts';
import type { Rule } from '../../api/types.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { History } from './History.tsx';
import { RuleForm } from './RuleForm.tsx';

/** What counts as broken in this project. */
export function Rules() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const [editing, setEditing] = useState<Rule | 'new'>();
  const [deleting, setDeleting] = useState<Rule>();
  const { data: rules, error, isPending, refetch } = useQuery(rulesQuery(projectId));
  const { data: channels } = useQuery(channelsQuery(projectId));
  const removal = useChange((rule: Rule) => deleteRule(projectId, rule), {
    refresh: ['rules', projectId],
    done: t('rules.deleted'),
  });
  const { history } = useSearch({ from: '/home/projects/$project/rules' });
  const show = (rule?: number) => void navigate({ to: '.', search: (old) => ({ ...old, history: rule }) });
  useTitle(t('nav.rules'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.rules')}</h1>
        {canWrite && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
            {t('rules.add')}
          </Button>
        )}
      </div>
      <section className="panel" aria-busy={isPending}>
        {error && !rules ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : rules?.length === 0 ? (
          <Empty icon={IconTargetArrow} title={t('rules.none')}>
            <p>{t('rules.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('rules.column.name')}</th>
                <th>{t('rules.column.condition')}</th>
                <th>{t('rules.column.where')}</th>
                <th>{t('rules.column.channels')}</th>
                <th>{t('rules.column.changed')}</th>
                <th aria-label={t('rules.column.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={3} columns={6} />}
              {rules?.map((rule) => (
                <tr key={rule.id} className={rule.enabled ? undefined : 'off'}>
                  <td>
                    <span className="row">
                      {rule.enabled ? (
                        <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
                      ) : (
                        <IconCircleDashed size={15} aria-hidden />
                      )}
                      <strong>{rule.name}</strong>
                      {!rule.enabled && t('rules.off')}
                    </span>
                  </td>
                  <td>
                    {t('rules.condition', {
                      ms: Number(rule.params.threshold_ms).toLocaleString('en-US'),
                      count: rule.count,
                      minutes: rule.window_minutes,
                    })}
                    <div className="dim">{t('rules.quiet', { minutes: rule.quiet_minutes })}</div>
                  </td>
                  <td>{[rule.service || t('rules.any_service'), rule.environment].filter(Boolean).join(' · ')}</td>
                  <td>
                    {rule.channels?.length
                      ? rule.channels.map((id) => channels?.find((c) => c.id === id)?.name ?? `#${id}`).join(', ')
                      : t('rules.all_channels')}
                  </td>
                  <td className="nowrap">
                    <When at={rule.updated_at} /> <span className="dim">{rule.updated_by}</span>
                  </td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconHistory}
                        label={t('rules.history')}
                        of={rule.name}
                        onClick={() => show(rule.id)}
                      />
                      {canWrite && (
                        <>
                          <RowAction
                            icon={IconPencil}
                            label={t('action.edit')}
                            of={rule.name}
                            onClick={() => setEditing(rule)}
                          />
                          <RowAction
                            icon={IconTrash}
                            label={t('action.delete')}
                            of={rule.name}
                            onClick={() => setDeleting(rule)}
                          />
                        </>
                      )}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      {editing && (
        <RuleForm
          project={projectId}
          rule={editing === 'new' ? undefined : editing}
          channels={channels ?? []}
          onClose={() => setEditing(undefined)}
        />
      )}
      {history && <History project={projectId} rule={history} channels={channels} onClose={() => show()} />}
      <Confirm
        opened={deleting !== undefined}
        title={t('rules.delete_title', { name: deleting?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('rules.delete_means')}
      </Confirm>
    </div>
  );
}
