import { Tabs } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { groupsQuery } from '../../api/people.ts';
import { Problem } from '../../api/problem.ts';
import { useCanAdmin, useProject } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Members } from '../members/Members.tsx';
import { Analysis } from './Analysis.tsx';
import { InApp } from './InApp.tsx';
import { Keys } from './Keys.tsx';
import { ProjectTab } from './ProjectTab.tsx';
import { Storage } from './Storage.tsx';

const ROUTE = '/home/projects/$project/settings';
const TABS = ['keys', 'members', 'errors', 'analysis', 'storage', 'project'] as const;

/** Who may send, who may see, and what the project is set to. */
export function Settings() {
  const { t } = useTranslation();
  const project = useProject();
  const canAdmin = useCanAdmin();
  const navigate = useNavigate();
  const { tab = 'keys' } = useSearch({ from: ROUTE });
  const { data: groups } = useQuery({ ...groupsQuery(project?.org_id ?? 0), enabled: project !== undefined });
  const group = groups?.find((g) => g.id === project?.group_id)?.name ?? '';
  useTitle(t('nav.settings'), project?.name);
  if (!project) return null;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.settings')}</h1>
      </div>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) =>
          void navigate({
            to: '.',
            search: (old) => ({ ...old, tab: next === 'keys' ? undefined : (next as typeof tab) }),
            replace: true,
          })
        }
      >
        <Tabs.List mb={16}>
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`settings.tab.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="keys">
          <p className="lead">{t('settings.keys_lead')}</p>
          <div style={{ maxWidth: 720, marginBottom: 20 }}>
            <FirstTelemetry project={project.id} />
          </div>
          {canAdmin ? <Keys project={project.id} /> : <Failure error={new Problem(403)} />}
        </Tabs.Panel>
        <Tabs.Panel value="members">
          <p className="lead">{t('settings.members_lead')}</p>
          <Members
            places={[
              { org: project.org_id, group: project.group_id, name: group },
              { org: project.org_id, group: 0, name: project.org_name },
            ]}
          />
        </Tabs.Panel>
        <Tabs.Panel value="storage">
          <p className="lead">{t('storage.lead')}</p>
          <Storage project={project.id} />
        </Tabs.Panel>
        <Tabs.Panel value="errors">
          <p className="lead">{t('settings.in_app.lead')}</p>
          <InApp project={project.id} />
        </Tabs.Panel>
        <Tabs.Panel value="analysis">
          <p className="lead">{t('settings.analysis.lead')}</p>
          <Analysis project={project.id} />
        </Tabs.Panel>
        <Tabs.Panel value="project">
          <ProjectTab id={project.id} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
