import { IconRocket } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { homeQuery } from '../../api/project.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Arriving } from './Arriving.tsx';
import classes from './Home.module.css';
import { FreshErrors, OpenIncidents, TroubledHosts, WorstServices } from './Worst.tsx';

/** The state of a project: what is wrong, the worst first, and whether telemetry comes in. */
export function HomePage() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const range = useSearch({ from: '/home/projects/$project/' });
  const pausedAt = usePausedAt();
  const home = useQuery({ ...homeQuery(projectId), refetchInterval: pausedAt === undefined && 30_000 });
  const following = { range, pausedAt };
  useTitle(t('nav.home'), project?.name);
  const waiting = home.data && !home.data.receiving && home.data.open_incidents === 0;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.home')}</h1>
      </div>
      {waiting ? (
        <section className="panel">
          <Empty icon={IconRocket} title={t('home.none')}>
            <p>{t('home.none_hint')}</p>
            <FirstTelemetry project={projectId} />
          </Empty>
        </section>
      ) : (
        <div className={classes.page}>
          <OpenIncidents project={projectId} following={following} />
          <WorstServices project={projectId} following={following} />
          <FreshErrors project={projectId} following={following} />
          <TroubledHosts project={projectId} following={following} />
          <Arriving project={projectId} home={home} pausedAt={pausedAt} />
        </div>
      )}
    </div>
  );
}
