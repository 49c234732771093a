import { Tabs } from '@mantine/core';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { useCanAdmin, useProject } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Keys } from './Keys.tsx';
import { Members } from './Members.tsx';
import { Tokens } from './Tokens.tsx';

const ROUTE = '/home/projects/$project/settings';
const TABS = ['keys', 'members', 'tokens'] as const;

/** Who may send, who may see, and the reader's own tokens. */
export function Settings() {
  const { t } = useTranslation();
  const project = useProject();
  const canAdmin = useCanAdmin();
  const navigate = useNavigate();
  const { tab = 'keys' } = useSearch({ from: ROUTE });
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
          <Members org={project.org_id} group={project.group_id} />
        </Tabs.Panel>
        <Tabs.Panel value="tokens">
          <p className="lead">{t('settings.tokens_lead')}</p>
          <Tokens />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}
