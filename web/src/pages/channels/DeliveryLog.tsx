import { Select } from '@mantine/core';
import { IconInbox } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { channelsQuery, deliveriesQuery } from '../../api/project.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { DeliveryTable } from '../../parts/notify/DeliveryTable.tsx';
import classes from './Channels.module.css';
import { More } from './More.tsx';

const STATES = ['pending', 'sending', 'delivered', 'failed', 'held', 'joined'] as const;

/** What became of every message, with every attempt. */
export function DeliveryLog({ project }: { project: number }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { channel, state } = useSearch({ from: '/home/projects/$project/channels' });
  const { data: channels } = useQuery(channelsQuery(project));
  const list = useInfiniteQuery(deliveriesQuery(project, { channel, state }));
  const rows = list.data?.pages.flatMap((page) => page.items);
  const filter = (part: { channel?: number; state?: (typeof STATES)[number] }) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...part }), replace: true });
  return (
    <>
      <div className={classes.filters}>
        <Select
          aria-label={t('channels.log.of_channel')}
          placeholder={t('channels.log.of_channel')}
          clearable
          data={(channels ?? []).map(({ id, name }) => ({ value: String(id), label: name }))}
          value={channel ? String(channel) : null}
          onChange={(value) => filter({ channel: value ? Number(value) : undefined })}
        />
        <Select
          aria-label={t('channels.log.in_state')}
          placeholder={t('channels.log.in_state')}
          clearable
          data={STATES.map((one) => ({ value: one, label: t(`deliveries.${one}`) }))}
          value={state ?? null}
          onChange={(value) => filter({ state: STATES.find((one) => one === value) })}
        />
      </div>
      <section className="panel scroll-x" aria-busy={list.isPending}>
        {list.error && !rows ? (
          <Failure error={list.error} retry={() => void list.refetch()} />
        ) : rows?.length === 0 ? (
          <Empty icon={IconInbox} title={t('channels.log.none')}>
            <p>{t(channel || state ? 'channels.log.none_here' : 'channels.log.none_hint')}</p>
          </Empty>
        ) : (
          <DeliveryTable rows={rows} pending={list.isPending} />
        )}
        {list.hasNextPage && <More busy={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />}
      </section>
    </>
  );
}
