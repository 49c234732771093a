import { Drawer } from '@mantine/core';
import { useDisclosure, useLocalStorage, useMediaQuery } from '@mantine/hooks';
import { Outlet, useRouterState } from '@tanstack/react-router';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../api/problem.ts';
import { Failure } from '../parts/Failure.tsx';
import classes from './Frame.module.css';
import { Rail } from './Rail.tsx';
import { rememberProject } from './remembered.ts';
import { TopBar } from './TopBar.tsx';
import { useProject, useProjectId } from './useProject.ts';

/** The rail, the bar and the page between them. */
export function Frame() {
  const { t } = useTranslation();
  const [collapsed, setCollapsed] = useLocalStorage({ key: 'matrix-rail', defaultValue: false });
  const narrow = useMediaQuery('(max-width: 900px)');
  const [drawer, { open, close }] = useDisclosure(false);
  const path = useRouterState({ select: (state) => state.location.pathname });
  const project = useProject();
  const asked = useProjectId();
  const unknown = !project && !Number.isNaN(asked);

  useEffect(() => {
    if (project) rememberProject(project.id);
  }, [project]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the drawer closes because the path changed
  useEffect(close, [path]);

  return (
    <div className={classes.frame} data-collapsed={collapsed || undefined}>
      <a className={classes.skip} href="#main">
        {t('frame.skip')}
      </a>
      {!narrow && <Rail collapsed={collapsed} onToggle={() => setCollapsed(!collapsed)} />}
      {narrow && (
        <Drawer
          opened={drawer}
          onClose={close}
          size={236}
          padding={0}
          withCloseButton={false}
          aria-label={t('frame.rail')}
        >
          <Rail collapsed={false} />
        </Drawer>
      )}
      <div className={classes.body}>
        <TopBar onMenu={narrow ? open : undefined} />
        <main id="main" className={classes.main} tabIndex={-1}>
          {unknown ? <Failure error={new Problem(404)} /> : <Outlet />}
        </main>
      </div>
    </div>
  );
}
