import { ActionIcon, Button, Tooltip } from '@mantine/core';
import { IconFolders, IconPencil, IconPlus, IconTrash } from '@tabler/icons-react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createGroup, deleteGroup, renameGroup } from '../../api/people.ts';
import { mayAdmin, meQuery } from '../../api/session.ts';
import type { Group, Organisation } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { NameForm } from '../../parts/NameForm.tsx';
import { useChange } from '../../parts/useChange.ts';
import { NewProject } from './NewProject.tsx';
import classes from './Org.module.css';
import { Projects } from './Projects.tsx';

/** The groups of an organisation that the reader can see, each with its projects. */
export function Groups({ org, groups }: { org: Organisation; groups: Group[] }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { create } = useSearch({ from: '/home/orgs/$org' });
  const { data: me } = useSuspenseQuery(meQuery);
  const [naming, setNaming] = useState<Group | 'new'>();
  const [deleting, setDeleting] = useState<Group>();
  const refresh = ['groups', org.id];
  const save = useChange(
    (name: string) => (naming && naming !== 'new' ? renameGroup(naming, name) : createGroup(org.id, name)),
    { refresh, done: t('groups.saved'), onDone: () => setNaming(undefined) },
  );
  const removal = useChange(deleteGroup, { refresh, done: t('groups.deleted') });
  const mine = groups.filter((g) => mayAdmin(me, org.id, g.id));
  const ask = (group?: Group) =>
    void navigate({
      to: '.',
      search: (old) => ({ ...old, create: group ? String(group.id) : undefined }),
      replace: true,
    });
  const into = mine.find((g) => String(g.id) === create) ?? (create ? mine[0] : undefined);
  return (
    <section className={classes.part} aria-label={t('groups.title')}>
      <div className="page-head">
        <h2>{t('groups.title')}</h2>
        {mayAdmin(me, org.id, 0) && (
          <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setNaming('new')}>
            {t('groups.add')}
          </Button>
        )}
        {mine[0] && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => ask(mine[0])}>
            {t('project.add')}
          </Button>
        )}
      </div>
      <div className="panel">
        {groups.length === 0 ? (
          <Empty icon={IconFolders} title={t('groups.none')}>
            <p>{t('groups.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('nav.project')}</th>
                <th>{t('project.language')}</th>
                <th className="num">{t('project.retention_short')}</th>
                <th className="num">{t('project.rate_short')}</th>
                <th>{t('settings.created')}</th>
                <th aria-label={t('settings.actions')} />
              </tr>
            </thead>
            {groups.map((group) => (
              <tbody key={group.id}>
                <tr className={classes.group}>
                  <th scope="rowgroup" colSpan={5}>
                    {t('members.in_group', { name: group.name })}
                  </th>
                  <td>
                    {mine.includes(group) && (
                      <div className="row-actions">
                        <Action
                          icon={IconPlus}
                          label={`${t('project.add')}: ${group.name}`}
                          onClick={() => ask(group)}
                        />
                        <Action
                          icon={IconPencil}
                          label={`${t('groups.rename')}: ${group.name}`}
                          onClick={() => setNaming(group)}
                        />
                        <Action
                          icon={IconTrash}
                          label={`${t('action.delete')}: ${group.name}`}
                          onClick={() => setDeleting(group)}
                        />
                      </div>
                    )}
                  </td>
                </tr>
                <Projects org={org.id} group={group.id} />
              </tbody>
            ))}
          </table>
        )}
      </div>
      {naming && (
        <NameForm
          title={t(naming === 'new' ? 'groups.add' : 'groups.rename')}
          name={naming === 'new' ? undefined : naming.name}
          busy={save.isPending}
          onSubmit={(name) => save.mutate(name)}
          onClose={() => setNaming(undefined)}
        />
      )}
      {into && <NewProject org={org.id} groups={mine} group={into} onClose={() => ask()} />}
      <Confirm
        opened={deleting !== undefined}
        title={t('groups.delete_title', { name: deleting?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('groups.delete_means')}
      </Confirm>
    </section>
  );
}

function Action({ icon: Icon, label, onClick }: { icon: typeof IconPlus; label: string; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" aria-label={label} onClick={onClick}>
        <Icon size={16} />
      </ActionIcon>
    </Tooltip>
  );
}
