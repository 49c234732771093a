import { Button, Tabs } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Channel } from '../../api/types.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { ChannelForm } from './ChannelForm.tsx';
import { ChannelList } from './ChannelList.tsx';
import { DeliveryLog } from './DeliveryLog.tsx';
import { Routing } from './Routing.tsx';

const ROUTE = '/home/projects/$project/channels';
const SEARCHED = ['routing', 'log'] as const;
const TABS = ['channels', ...SEARCHED] as const;

/** Where this project's alarms and reports go, which of them when, and what became of them. */
export function Channels() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const { tab = 'channels' } = useSearch({ from: ROUTE });
  const [editing, setEditing] = useState<Channel | 'new'>();
  useTitle(t('nav.channels'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.channels')}</h1>
        {canWrite && tab === 'channels' && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
            {t('channels.add')}
          </Button>
        )}
      </div>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) =>
          void navigate({
            to: '.',
            search: (old) => ({ ...old, tab: SEARCHED.find((each) => each === next) }),
            replace: true,
          })
        }
      >
        <Tabs.List mb={16}>
          {TABS.map((each) => (
            <Tabs.Tab key={each} value={each}>
              {t(`channels.tab.${each}`)}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="channels">
          <ChannelList project={projectId} onEdit={setEditing} />
        </Tabs.Panel>
        <Tabs.Panel value="routing">
          <Routing project={projectId} />
        </Tabs.Panel>
        <Tabs.Panel value="log">
          <DeliveryLog project={projectId} />
        </Tabs.Panel>
      </Tabs>
      {editing && (
        <ChannelForm
          project={projectId}
          channel={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
    </div>
  );
}
