import { Menu } from '@mantine/core';
import { IconBuilding, IconCheck, IconPlus, IconSelector } from '@tabler/icons-react';
import { useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { mayAdmin, meQuery } from '../api/session.ts';
import classes from './Frame.module.css';
import { useProject, useProjects } from './useProject.ts';

/** organisation › project, and the way to another one. */
export function ProjectSwitch() {
  const { t } = useTranslation();
  const projects = useProjects();
  const current = useProject();
  const navigate = useNavigate();
  const { data: me } = useSuspenseQuery(meQuery);
  // Who has no project yet can make one in an organisation of their own.
  const org = current ? me.orgs.find((o) => o.id === current.org_id) : me.orgs[0];
  const groups = Map.groupBy(projects, (p) => p.org_name);
  return (
    <Menu position="bottom-start" width={280}>
      <Menu.Target>
        <button type="button" className={classes.switch} aria-label={t('frame.project', { name: current?.name ?? '' })}>
          <span className="clip">
            {current?.org_name && <span className={`${classes.org} dim`}>{`${current.org_name} › `}</span>}
            <b>{current?.name ?? t('frame.choose_project')}</b>
          </span>
          <IconSelector size={14} color="var(--mx-ink-3)" aria-hidden />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {projects.length > 8 && <Menu.Search placeholder={t('frame.find_project')} />}
        {[...groups].map(([group, members]) => (
          <div key={group}>
            <Menu.Label>{group}</Menu.Label>
            {members.map((p) => (
              <Menu.Item
                key={p.id}
                rightSection={p.id === current?.id ? <IconCheck size={14} /> : null}
                onClick={() => void navigate({ to: '/projects/$project/incidents', params: { project: String(p.id) } })}
              >
                {p.name}
              </Menu.Item>
            ))}
          </div>
        ))}
        {org && (
          <>
            <Menu.Divider />
            <Menu.Item
              leftSection={<IconBuilding size={15} />}
              onClick={() => void navigate({ to: '/orgs/$org', params: { org: String(org.id) } })}
            >
              {t('frame.manage_org', { name: org.name })}
            </Menu.Item>
            {mayAdmin(me, org.id, current?.group_id ?? 0) && (
              <Menu.Item
                leftSection={<IconPlus size={15} />}
                onClick={() =>
                  void navigate({
                    to: '/orgs/$org',
                    params: { org: String(org.id) },
                    search: { create: String(current?.group_id ?? 0) },
                  })
                }
              >
                {t('project.add')}
              </Menu.Item>
            )}
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}
