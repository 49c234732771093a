import { Menu } from '@mantine/core';
import { IconCheck, IconSelector } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import classes from './Frame.module.css';
import { useProject, useProjects } from './useProject.ts';

/** organisation › project, and the way to another one. */
export function ProjectSwitch() {
  const { t } = useTranslation();
  const projects = useProjects();
  const current = useProject();
  const navigate = useNavigate();
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
      </Menu.Dropdown>
    </Menu>
  );
}
