import { Select } from '@mantine/core';
import {
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconGitMerge,
  IconInbox,
  IconMoon,
  IconQuestionMark,
  IconRefresh,
} from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Fragment, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelsQuery, deliveriesQuery } from '../../api/project.ts';
import type { Delivery, Try } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { When } from '../../parts/When.tsx';
import { KindName } from './ChannelList.tsx';
import classes from './Channels.module.css';
import { More } from './More.tsx';

const STATES = ['pending', 'sending', 'delivered', 'failed', 'held', 'joined'] as const;

const SIGNS = {
  pending: { icon: IconClock, tone: 'none' },
  sending: { icon: IconRefresh, tone: 'none' },
  delivered: { icon: IconCircleCheck, tone: 'ok' },
  failed: { icon: IconCircleX, tone: 'critical' },
  held: { icon: IconMoon, tone: 'none' },
  joined: { icon: IconGitMerge, tone: 'none' },
  retried: { icon: IconRefresh, tone: 'warning' },
  lost: { icon: IconQuestionMark, tone: 'warning' },
} as const;

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
          <table className="table">
            <thead>
              <tr>
                <th>{t('channels.log.written')}</th>
                <th>{t('channels.log.message')}</th>
                <th>{t('channels.log.channel')}</th>
                <th>{t('deliveries.state')}</th>
                <th className="num">{t('deliveries.attempts')}</th>
              </tr>
            </thead>
            <tbody>
              {list.isPending && <SkeletonRows rows={8} columns={5} />}
              {rows?.map((delivery) => (
                <Row key={delivery.id} delivery={delivery} />
              ))}
            </tbody>
          </table>
        )}
        {list.hasNextPage && <More busy={list.isFetchingNextPage} onMore={() => void list.fetchNextPage()} />}
      </section>
    </>
  );
}

function Row({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const log = delivery.log;
  return (
    <Fragment>
      <tr>
        <td className="nowrap">
          <When at={delivery.created_at} clock />
        </td>
        <td>
          {delivery.subject || delivery.message}
          <About delivery={delivery} />
        </td>
        <td>
          {delivery.target}
          <div className="dim">
            <KindName kind={delivery.kind} />
          </div>
        </td>
        <td>
          <Outcome of={delivery.state as keyof typeof SIGNS} label={t(`deliveries.${delivery.state as 'delivered'}`)} />
          {delivery.due_at && (
            <div className="dim">
              {t('channels.log.due')} <When at={delivery.due_at} clock />
            </div>
          )}
          {delivery.error && <div className="dim">{delivery.error}</div>}
        </td>
        <td className="num">
          {log.length > 0 ? (
            <button
              type="button"
              className={classes.toggle}
              aria-expanded={open}
              aria-label={t('channels.log.show', { count: delivery.attempts, subject: delivery.subject })}
              onClick={() => setOpen(!open)}
            >
              {count(delivery.attempts)}
            </button>
          ) : (
            count(delivery.attempts)
          )}
        </td>
      </tr>
      {open && (
        <tr>
          <td />
          <td colSpan={4}>
            <ol className={classes.attempts}>
              {log.map((attempt) => (
                <AttemptLine key={attempt.number} attempt={attempt} />
              ))}
            </ol>
          </td>
        </tr>
      )}
    </Fragment>
  );
}

/** What a message is about: an incident leads to its page. */
function About({ delivery: { ref } }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const project = useProjectId();
  if (!ref) return null;
  const incident = /^incident\/(\d+)$/.exec(ref)?.[1];
  return (
    <div className="dim">
      {incident ? (
        <Link to="/projects/$project/incidents/$incident" params={{ project: String(project), incident }}>
          {t('channels.log.incident', { id: incident })}
        </Link>
      ) : (
        ref
      )}
    </div>
  );
}

function AttemptLine({ attempt }: { attempt: Try }) {
  const { t } = useTranslation();
  return (
    <li>
      <span className={classes.number}>{attempt.number}</span>
      <When at={attempt.at} clock />
      <Outcome
        of={attempt.outcome as keyof typeof SIGNS}
        label={t(`channels.outcome.${attempt.outcome as 'delivered'}`, attempt.outcome)}
      />
      {attempt.took_ms > 0 && <span className="dim">{durationMs(attempt.took_ms)}</span>}
      {attempt.error && <span className="soft">{attempt.error}</span>}
    </li>
  );
}

function Outcome({ of, label }: { of: keyof typeof SIGNS; label: string }) {
  const { icon: Icon, tone } = SIGNS[of] ?? SIGNS.pending;
  return (
    <span className={classes.outcome} data-tone={tone}>
      <Icon size={15} aria-hidden />
      {label}
    </span>
  );
}
