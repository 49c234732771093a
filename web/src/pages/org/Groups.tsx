import { ActionIcon, Button, Select, Tooltip } from '@mantine/core';
import {
  IconCornerDownRight,
  IconFolderPlus,
  IconFolderShare,
  IconFolders,
  IconPencil,
  IconPlus,
  IconTrash,
} from '@tabler/icons-react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createGroup, createSubgroup, deleteGroup, moveGroup, renameGroup } from '../../api/people.ts';
import { mayAdmin, meQuery } from '../../api/session.ts';
import type { Group, Organisation } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
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
  const [naming, setNaming] = useState<Group | 'new' | { below: Group }>();
  const [moving, setMoving] = useState<Group>();
  const [deleting, setDeleting] = useState<Group>();
  const refresh = ['groups', org.id];
  const save = useChange(
    (name: string) => {
      if (!naming || naming === 'new') return createGroup(org.id, name);
      return 'below' in naming ? createSubgroup(naming.below.id, name) : renameGroup(naming, name);
    },
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
            {inOrder(groups).map((group) => (
              <tbody key={group.id}>
                <tr className={classes.group}>
                  <th scope="rowgroup" colSpan={5} style={{ paddingLeft: 12 + (group.depth - 1) * 18 }}>
                    {group.depth > 1 && (
                      <IconCornerDownRight
                        size={14}
                        role="img"
                        aria-label={t('groups.below', { depth: group.depth })}
                      />
                    )}{' '}
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
                          icon={IconFolderPlus}
                          label={`${t('groups.add_below')}: ${group.name}`}
                          onClick={() => setNaming({ below: group })}
                        />
                        {mayAdmin(me, org.id, 0) && (
                          <Action
                            icon={IconFolderShare}
                            label={`${t('groups.move')}: ${group.name}`}
                            onClick={() => setMoving(group)}
                          />
                        )}
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
          title={
            naming === 'new'
              ? t('groups.add')
              : 'below' in naming
                ? t('groups.add_in', { name: naming.below.name })
                : t('groups.rename')
          }
          name={naming === 'new' || 'below' in naming ? undefined : naming.name}
          busy={save.isPending}
          onSubmit={(name) => save.mutate(name)}
          onClose={() => setNaming(undefined)}
        />
      )}
      {moving && <MoveGroup group={moving} groups={groups} onClose={() => setMoving(undefined)} />}
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

/** Each group before those in it, by name. */
function inOrder(groups: Group[], parent = 0): Group[] {
  const known = new Set(groups.map((g) => g.id));
  // Who sees a group without the one it is in finds it at the top.
  const above = (g: Group) => (known.has(g.parent_id) ? g.parent_id : 0);
  return groups.filter((g) => above(g) === parent).flatMap((g) => [g, ...inOrder(groups, g.id)]);
}

function MoveGroup({ group, groups, onClose }: { group: Group; groups: Group[]; onClose: () => void }) {
  const { t } = useTranslation();
  const [parent, setParent] = useState(String(group.parent_id));
  const within = new Set([group.id, ...inOrder(groups, group.id).map((g) => g.id)]);
  const save = useChange(() => moveGroup(group, Number(parent)), {
    refresh: ['groups', group.org_id],
    also: ['me'],
    done: t('groups.moved'),
    onDone: onClose,
  });
  return (
    <FormModal
      title={t('groups.move_title', { name: group.name })}
      size="sm"
      busy={save.isPending}
      onSubmit={() => save.mutate(undefined)}
      onClose={onClose}
    >
      <Select
        label={t('groups.into')}
        description={t('groups.move_means')}
        allowDeselect={false}
        data-autofocus
        data={[
          { value: '0', label: t('groups.top') },
          ...groups.filter((g) => !within.has(g.id)).map((g) => ({ value: String(g.id), label: g.name })),
        ]}
        value={parent}
        onChange={(value) => value && setParent(value)}
      />
    </FormModal>
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
