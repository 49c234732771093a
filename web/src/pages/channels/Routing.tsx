import { Button, Switch } from '@mantine/core';
import { IconArrowDown, IconArrowUp, IconPencil, IconPlus, IconRoute, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { channelsQuery, routingQuery, updateRouting } from '../../api/project.ts';
import type { Channel, Route, RoutingEdit, Routing as Stored } from '../../api/types.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Conditions } from '../../parts/notify/Conditions.tsx';
import { TimingPanels } from '../../parts/notify/TimingPanels.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import classes from './Channels.module.css';
import { RouteForm } from './RouteForm.tsx';

/** Which channels get what, in order, and what waits till when. */
export function Routing({ project }: { project: number }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const { data: routing, error, isPending, refetch } = useQuery(routingQuery(project));
  const { data: channels } = useQuery(channelsQuery(project));
  const [editing, setEditing] = useState<number | 'new'>();
  const [deleting, setDeleting] = useState<number>();
  const save = useChange((next: RoutingEdit) => updateRouting(project, routing?.version ?? 0, next), {
    refresh: ['channel-routing', project],
    done: t('channels.routing.saved'),
    onDone: () => setEditing(undefined),
  });
  if (error && !routing) return <Failure error={error} retry={() => void refetch()} />;
  const routes = routing?.routes ?? [];
  const change = (part: Partial<RoutingEdit>) => routing && save.mutate({ ...editOf(routing), ...part });
  const put = (at: number, route: Route) =>
    change({ routes: at < routes.length ? routes.map((old, i) => (i === at ? route : old)) : [...routes, route] });
  const swap = (a: number, b: number) => {
    const next = [...routes];
    [next[a], next[b]] = [next[b] as Route, next[a] as Route];
    change({ routes: next });
  };
  return (
    <>
      <div className="page-head">
        <p className="lead" style={{ margin: '0 auto 0 0' }}>
          {t('channels.routing.lead')}
        </p>
        {canWrite && (
          <Button leftSection={<IconPlus size={15} />} onClick={() => setEditing('new')}>
            {t('channels.routing.add')}
          </Button>
        )}
      </div>
      <section className="panel scroll-x" aria-busy={isPending}>
        {routing && routes.length === 0 ? (
          <Empty icon={IconRoute} title={t('channels.routing.none')}>
            <p>{t('channels.routing.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th aria-label={t('channels.routing.order')} />
                <th>{t('channels.column.name')}</th>
                <th>{t('channels.routing.when')}</th>
                <th>{t('channels.routing.to')}</th>
                <th aria-label={t('channels.column.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={2} columns={5} />}
              {routes.map((route, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a route is known by its place
                <tr key={at}>
                  <td className={classes.order}>{at + 1}</td>
                  <td>
                    <strong>{route.name}</strong>
                  </td>
                  <td>
                    <Conditions of={route} />
                  </td>
                  <td>{route.channels.map((id) => nameOf(channels, id)).join(', ')}</td>
                  <td>
                    {canWrite && (
                      <div className="row-actions">
                        <RowAction
                          icon={IconArrowUp}
                          label={t('channels.routing.up')}
                          of={route.name}
                          refused={at === 0 ? t('channels.routing.is_first') : undefined}
                          onClick={() => swap(at, at - 1)}
                        />
                        <RowAction
                          icon={IconArrowDown}
                          label={t('channels.routing.down')}
                          of={route.name}
                          refused={at === routes.length - 1 ? t('channels.routing.is_last') : undefined}
                          onClick={() => swap(at, at + 1)}
                        />
                        <RowAction
                          icon={IconPencil}
                          label={t('action.edit')}
                          of={route.name}
                          onClick={() => setEditing(at)}
                        />
                        <RowAction
                          icon={IconTrash}
                          label={t('action.delete')}
                          of={route.name}
                          onClick={() => setDeleting(at)}
                        />
                      </div>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
        {routing && routing.version > 0 && (
          <div className="foot">
            <Switch
              size="xs"
              label={t('channels.routing.first_only')}
              disabled={!canWrite}
              checked={routing.first_only}
              onChange={(e) => change({ first_only: e.currentTarget.checked })}
            />
            <span>
              <When at={routing.updated_at} /> {routing.updated_by}
            </span>
          </div>
        )}
      </section>
      {routing && <TimingPanels of={routing} canEdit={canWrite} busy={save.isPending} onSave={change} />}
      {editing !== undefined && routing && (
        <RouteForm
          route={editing === 'new' ? undefined : routes[editing]}
          zone={editOf(routing).time_zone}
          channels={channels ?? []}
          busy={save.isPending}
          onSave={(route) => put(editing === 'new' ? routes.length : editing, route)}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('channels.routing.delete_title', { name: routes[deleting ?? -1]?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          change({ routes: routes.filter((_, i) => i !== deleting) });
          setDeleting(undefined);
        }}
      >
        {t('channels.routing.delete_means')}
      </Confirm>
    </>
  );
}

const nameOf = (channels: Channel[] | undefined, id: number) =>
  channels?.find((channel) => channel.id === id)?.name ?? `#${id}`;

/** The part of a routing that people edit. A first one takes the zone of who writes it. */
const editOf = ({ time_zone, first_only, routes, quiet, digest, version }: Stored): RoutingEdit => ({
  time_zone: version === 0 ? Intl.DateTimeFormat().resolvedOptions().timeZone : time_zone,
  first_only,
  routes,
  quiet,
  digest,
});
