import { Button, Skeleton } from '@mantine/core';
import { IconInfoCircle, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { deleteProject, projectQuery, updateProject } from '../../api/project.ts';
import type { Project, ProjectSettings } from '../../api/types.ts';
import { useCanAdmin } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { useChange } from '../../parts/useChange.ts';
import { ProjectFields } from './ProjectFields.tsx';

/** The project's own settings, and its end. */
export function ProjectTab({ id }: { id: number }) {
  const canAdmin = useCanAdmin();
  const { data: project, error, refetch } = useQuery(projectQuery(id));
  if (error && !project) return <Failure error={error} retry={() => void refetch()} />;
  if (!project) return <Skeleton height={320} maw={480} aria-busy />;
  return (
    <>
      <Form key={project.id} project={project} canAdmin={canAdmin} />
      {canAdmin && <Delete project={project} />}
    </>
  );
}

function Form({ project, canAdmin }: { project: Project; canAdmin: boolean }) {
  const { t } = useTranslation();
  const [read, setRead] = useState(project);
  const [edit, setEdit] = useState<ProjectSettings>(() => pick(project));
  const start = (from: Project) => {
    setRead(from);
    setEdit(pick(from));
  };
  const save = useChange(() => updateProject(read, edit), {
    refresh: ['project', project.id],
    also: ['me'],
    done: t('project.saved'),
    onDone: start,
  });
  return (
    <form
      className="form settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(undefined);
      }}
    >
      {!canAdmin && (
        <p className="note">
          <IconInfoCircle size={15} aria-hidden />
          {t('project.read_only')}
        </p>
      )}
      <ProjectFields value={edit} disabled={!canAdmin} onChange={setEdit} />
      {project.version > read.version && !save.isPending && (
        <p className="note" role="status">
          <IconInfoCircle size={15} aria-hidden />
          {t('project.changed')}
          <Button variant="default" size="compact-xs" onClick={() => start(project)}>
            {t('project.reload')}
          </Button>
        </p>
      )}
      {canAdmin && (
        <div>
          <Button type="submit" loading={save.isPending}>
            {t('action.save')}
          </Button>
        </div>
      )}
    </form>
  );
}

const pick = ({ name, language, retention, rate, access }: Project): ProjectSettings => ({
  name,
  language,
  retention,
  rate,
  access,
});

function Delete({ project }: { project: Project }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const drop = useChange(() => deleteProject(project), {
    refresh: ['me'],
    also: ['groups', project.org_id],
    done: t('project.deleted', { name: project.name }),
    onDone: () => void navigate({ to: '/' }),
  });
  return (
    <section className="danger" aria-labelledby="delete">
      <div>
        <h2 id="delete">{t('project.delete')}</h2>
        <p className="soft">{t('project.delete_means')}</p>
      </div>
      <Button variant="default" leftSection={<IconTrash size={15} />} onClick={() => setAsking(true)}>
        {t('project.delete')}
      </Button>
      {asking && (
        <Confirm
          opened
          title={t('project.delete_title', { name: project.name })}
          verb={t('project.delete')}
          danger
          typed={project.name}
          busy={drop.isPending}
          onClose={() => setAsking(false)}
          onConfirm={() => drop.mutate(undefined)}
        >
          {t('project.delete_means')}
        </Confirm>
      )}
    </section>
  );
}
