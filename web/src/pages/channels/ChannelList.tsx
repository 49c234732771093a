import { Button } from '@mantine/core';
import { IconBell, IconCircleCheck, IconCircleDashed, IconPencil, IconSend, IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelsQuery, deleteChannel, testChannel } from '../../api/project.ts';
import type { Channel } from '../../api/types.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { KindName } from '../../parts/notify/KindName.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { configOf } from './config.ts';

interface Props {
  project: number;
  onEdit: (channel: Channel) => void;
}

/** The channels that there are, each with a way to try it. */
export function ChannelList({ project, onEdit }: Props) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [deleting, setDeleting] = useState<Channel>();
  const { data: channels, error, isPending, refetch } = useQuery(channelsQuery(project));
  const removal = useChange((channel: Channel) => deleteChannel(project, channel.id), {
    refresh: ['channels', project],
    done: t('channels.deleted'),
  });
  const test = useMutation({
    mutationFn: (channel: Channel) => testChannel(project, channel.id),
    onSuccess: (_, channel) => toastDone(t('channels.tested', { name: channel.name })),
    onError: toastProblem,
  });
  return (
    <section className="panel scroll-x" aria-busy={isPending}>
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
            {channels?.map((channel) => (
              <tr key={channel.id} className={channel.enabled ? undefined : 'off'}>
                <td>
                  <strong>{channel.name}</strong>
                </td>
                <td>
                  <KindName kind={channel.kind} />
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
                        onClick={() => onEdit(channel)}
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
            ))}
          </tbody>
        </table>
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
    </section>
  );
}

/** Where a channel leads, without the part of an address that works like a password. */
function targetOf(channel: Channel): string {
  const { url, channel: room, to, chat_id, conversation_id, email, recipients, region } = configOf(channel);
  if (typeof url === 'string' && URL.canParse(url)) return `${new URL(url).origin}/…`;
  return String(room ?? to ?? chat_id ?? conversation_id ?? email ?? recipients ?? region ?? '');
}
