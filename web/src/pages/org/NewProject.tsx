import { Select } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createProject } from '../../api/people.ts';
import { meQuery } from '../../api/session.ts';
import type { Group, ProjectSettings } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { useChange } from '../../parts/useChange.ts';
import { ProjectFields } from '../settings/ProjectFields.tsx';

interface Props {
  org: number;
  /** Where the reader may make projects. */
  groups: Group[];
  group: Group;
  onClose: () => void;
}

/** Makes a project and leads to its keys, without which nothing arrives. */
export function NewProject({ org, groups, group: first, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [group, setGroup] = useState(first.id);
  const [edit, setEdit] = useState<ProjectSettings>({
    name: '',
    language: i18n.language === 'en' ? 'en' : 'ko',
    retention: { traces: 14, logs: 14, metrics: 14 },
    rate: {},
  });
  const make = useChange(() => createProject(group, edit), {
    refresh: ['groups', org],
    also: ['me'],
    done: t('project.made', { name: edit.name }),
    onDone: ({ id }) => {
      const readable = client.getQueryData(meQuery.queryKey)?.projects.some((p) => p.id === id);
      if (!readable) return onClose();
      void navigate({ to: '/projects/$project/settings', params: { project: String(id) }, search: { tab: 'keys' } });
    },
  });
  return (
    <FormModal
      title={t('project.add')}
      verb={t('action.add')}
      busy={make.isPending}
      size="sm"
      onSubmit={() => make.mutate(undefined)}
      onClose={onClose}
    >
      <Select
        label={t('settings.group')}
        allowDeselect={false}
        data={groups.map((g) => ({ value: String(g.id), label: g.name }))}
        value={String(group)}
        onChange={(value) => value && setGroup(Number(value))}
      />
      <ProjectFields value={edit} onChange={setEdit} />
    </FormModal>
  );
}
