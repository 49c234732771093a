import { Button } from '@mantine/core';
import {
  IconBell,
  IconBrandSlack,
  IconCircleCheck,
  IconCircleDashed,
  IconPencil,
  IconPlus,
  IconSend,
  IconTerminal2,
  IconTrash,
  IconWebhook,
} from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelsQuery, deleteChannel, testChannel } from '../../api/project.ts';
import type { Channel } from '../../api/types.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { ChannelForm } from './ChannelForm.tsx';
import { configOf } from './config.ts';

const ICONS: Record<string, typeof IconBell> = { console: IconTerminal2, slack: IconBrandSlack, webhook: IconWebhook };

/** Where this project's alarms and reports go. */
export function Channels() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const canWrite = useCanWrite();
  const [editing, setEditing] = useState<Channel | 'new'>();
  const [deleting, setDeleting] = useState<Channel>();
  const { data: channels, error, isPending, refetch } = useQuery(channelsQuery(projectId));
  const removal = useChange((channel: Channel) => deleteChannel(projectId, channel.id), {
    refresh: ['channels', projectId],
    done: t('channels.deleted'),
  });
  const test = useMutation({
    mutationFn: (channel: Channel) => testChannel(projectId, channel.id),
    onSuccess: (_, channel) => toastDone(t('channels.tested', { name: channel.name })),
    onError: toastProblem,
  });
  useTitle(t('nav.channels'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.channels')}</h1>
        {canWrite && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
            {t('channels.add')}
          </Button>
        )}
      </div>
      <section className="panel" aria-busy={isPending}>
        {error && !channels ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : channels?.length === 0 ? (
          <Empty icon={IconBell} title={t('channels.none')}>
            <p>{t('channels.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('channels.column.name')}</th>
                <th>{t('channels.column.kind')}</th>
                <th>{t('channels.column.target')}</th>
                <th>{t('channels.column.state')}</th>
                <th>{t('channels.column.changed')}</th>
                <th aria-label={t('channels.column.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={3} columns={6} />}
              {channels?.map((channel) => {
                const Icon = ICONS[channel.kind] ?? IconBell;
                return (
                  <tr key={channel.id} className={channel.enabled ? undefined : 'off'}>
                    <td>
                      <strong>{channel.name}</strong>
                    </td>
                    <td>
                      <span className="row">
                        <Icon size={16} stroke={1.6} aria-hidden />
                        {t(`channels.kind.${channel.kind as 'slack'}`, channel.kind)}
                      </span>
                    </td>
                    <td>
                      <code>{targetOf(channel)}</code>
                    </td>
                    <td>
                      <span className="row">
                        {channel.enabled ? (
                          <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
                        ) : (
                          <IconCircleDashed size={15} aria-hidden />
                        )}
                        {t(channel.enabled ? 'channels.on' : 'channels.off')}
                      </span>
                    </td>
                    <td className="nowrap">
                      <When at={channel.updated_at} /> <span className="dim">{channel.updated_by}</span>
                    </td>
                    <td>
                      {canWrite && (
                        <div className="row-actions">
                          <Button
                            variant="default"
                            size="compact-xs"
                            leftSection={<IconSend size={13} />}
                            loading={test.isPending && test.variables.id === channel.id}
                            onClick={() => test.mutate(channel)}
                          >
                            {t('action.send_test')}
                          </Button>
                          <RowAction
                            icon={IconPencil}
                            label={t('action.edit')}
                            of={channel.name}
                            onClick={() => setEditing(channel)}
                          />
                          <RowAction
                            icon={IconTrash}
                            label={t('action.delete')}
                            of={channel.name}
                            onClick={() => setDeleting(channel)}
                          />
                        </div>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        )}
      </section>
      {editing && (
        <ChannelForm
          project={projectId}
          channel={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('channels.delete_title', { name: deleting?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          if (deleting) removal.mutate(deleting);
          setDeleting(undefined);
        }}
      >
        {t('channels.delete_means')}
      </Confirm>
    </div>
  );
}

/** Where a channel leads, without the part of an address that works like a password. */
function targetOf(channel: Channel): string {
  const { url, channel: room } = configOf(channel);
  if (typeof url === 'string' && URL.canParse(url)) return `${new URL(url).origin}/…`;
  return String(room ?? '');
}
