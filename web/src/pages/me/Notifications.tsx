import { Button, Select, Skeleton } from '@mantine/core';
import { IconBell, IconPencil, IconPlus, IconSend, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import {
  myDeliveriesQuery,
  notificationsQuery,
  testNotifications,
  updateNotifications,
} from '../../api/notifications.ts';
import { meQuery } from '../../api/session.ts';
import type { MyNotifications, NotificationsEdit, PersonalRule, WayKind } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Conditions } from '../../parts/notify/Conditions.tsx';
import { DeliveryTable } from '../../parts/notify/DeliveryTable.tsx';
import { KindName } from '../../parts/notify/KindName.tsx';
import { TimingPanels } from '../../parts/notify/TimingPanels.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { toastDone, toastProblem } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import { RuleForm } from './RuleForm.tsx';
import { WayForm } from './WayForm.tsx';
import { editOf, WITHOUT_ADDRESS, withoutWay, withRule, withWay } from './wishes.ts';

/** What the reader wants to be told of, by which ways and when, and what became of it. */
export function Notifications({ email }: { email: string }) {
  const { t } = useTranslation();
  const { data: mine, error, refetch } = useQuery(notificationsQuery);
  const save = useChange((edit: NotificationsEdit) => updateNotifications(mine?.version ?? 0, edit), {
    refresh: ['notifications'],
    done: t('notifications.saved'),
  });
  if (error && !mine) return <Failure error={error} retry={() => void refetch()} />;
  if (!mine) return <Skeleton height={240} />;
  const edit = editOf(mine);
  const put = (next: NotificationsEdit) => save.mutate(next);
  return (
    <>
      <h2>{t('notifications.title')}</h2>
      <p className="lead">{t('notifications.lead')}</p>
      <Ways mine={mine} email={email} busy={save.isPending} onSave={put} />
      <Rules mine={mine} busy={save.isPending} onSave={put} />
      <TimingPanels of={edit} canEdit busy={save.isPending} onSave={(times) => put({ ...edit, ...times })} />
      <Select
        mt="md"
        maw={320}
        label={t('channels.language.label')}
        description={t('channels.language.hint')}
        data={[
          { value: '', label: t('channels.language.message') },
          { value: 'ko', label: '한국어' },
          { value: 'en', label: 'English' },
        ]}
        value={mine.language}
        allowDeselect={false}
        onChange={(language) => put({ ...edit, language: language as NotificationsEdit['language'] })}
      />
      <Log />
    </>
  );
}

interface Props {
  mine: MyNotifications;
  busy: boolean;
  onSave: (edit: NotificationsEdit) => void;
}

function Ways({ mine, email, busy, onSave }: Props & { email: string }) {
  const { t } = useTranslation();
  const [editing, setEditing] = useState<string>();
  const [removing, setRemoving] = useState<string>();
  const test = useMutation({
    mutationFn: testNotifications,
    onSuccess: () => toastDone(t('notifications.tested')),
    onError: toastProblem,
  });
  const edit = editOf(mine);
  const addressOf = (kind: string) => mine.ways?.find((way) => way.kind === kind)?.address;
  const shown = (kind: string) => {
    const address = addressOf(kind);
    if (address === undefined) return <span className="dim">{t('notifications.no_address')}</span>;
    return <code>{address || email}</code>;
  };
  const reach = ({ kind, projects }: WayKind) =>
    projects > 0 || addressOf(kind) === undefined
      ? t('notifications.projects', { count: projects })
      : t('notifications.unreachable');
  return (
    <section className="panel scroll-x" aria-label={t('notifications.ways')}>
      <table className="table">
        <thead>
          <tr>
            <th>{t('notifications.ways')}</th>
            <th>{t('notifications.address')}</th>
            <th>{t('notifications.reach')}</th>
            <th aria-label={t('channels.column.actions')} />
          </tr>
        </thead>
        <tbody>
          {mine.kinds?.map((way) => {
            const name = t(`channels.kind.${way.kind as 'slack'}`, way.kind);
            const has = addressOf(way.kind) !== undefined;
            return (
              <tr key={way.kind}>
                <td>
                  <KindName kind={way.kind} />
                </td>
                <td>{shown(way.kind)}</td>
                <td>{reach(way)}</td>
                <td>
                  <div className="row-actions">
                    {has && (
                      <RowAction
                        icon={IconSend}
                        label={t('notifications.test')}
                        of={name}
                        refused={way.projects === 0 ? t('notifications.unreachable') : undefined}
                        onClick={() => test.mutate(way.kind)}
                      />
                    )}
                    {!(has && WITHOUT_ADDRESS.includes(way.kind)) && (
                      <RowAction
                        icon={has ? IconPencil : IconPlus}
                        label={t(has ? 'action.edit' : 'notifications.add_way')}
                        of={name}
                        onClick={() =>
                          WITHOUT_ADDRESS.includes(way.kind)
                            ? onSave(withWay(edit, { kind: way.kind, address: '' }))
                            : setEditing(way.kind)
                        }
                      />
                    )}
                    {has && (
                      <RowAction
                        icon={IconTrash}
                        label={t('action.delete')}
                        of={name}
                        onClick={() => setRemoving(way.kind)}
                      />
                    )}
                  </div>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
      {editing && (
        <WayForm
          kind={editing}
          address={addressOf(editing) ?? ''}
          busy={busy}
          onSave={(address) => {
            onSave(withWay(edit, { kind: editing, address }));
            setEditing(undefined);
          }}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={removing !== undefined}
        title={t('notifications.remove_title', { name: t(`channels.kind.${removing as 'slack'}`, removing ?? '') })}
        verb={t('action.delete')}
        danger
        onClose={() => setRemoving(undefined)}
        onConfirm={() => {
          if (removing) onSave(withoutWay(edit, removing));
          setRemoving(undefined);
        }}
      >
        {t('notifications.remove_means')}
      </Confirm>
    </section>
  );
}

function Rules({ mine, busy, onSave }: Props) {
  const { t } = useTranslation();
  const { data: me } = useQuery(meQuery);
  const [editing, setEditing] = useState<number>();
  const [deleting, setDeleting] = useState<number>();
  const edit = editOf(mine);
  const rules = mine.rules ?? [];
  const orgs = me?.orgs ?? [];
  const also = (rule: PersonalRule): [string, string][] => [
    ...(rule.assigned ? [[t('notifications.about'), t('notifications.assigned')] as [string, string]] : []),
    ...(rule.owned ? [[t('notifications.about'), t('notifications.owned')] as [string, string]] : []),
    ...(rule.organisation_id
      ? [
          [
            t('notifications.organisation'),
            orgs.find(({ id }) => id === rule.organisation_id)?.name ?? `#${rule.organisation_id}`,
          ] as [string, string],
        ]
      : []),
  ];
  return (
    <section aria-label={t('notifications.rules')}>
      <div className="page-head">
        <h3>{t('notifications.rules')}</h3>
        <Button
          leftSection={<IconPlus size={15} />}
          disabled={!mine.ways?.length}
          onClick={() => setEditing(rules.length)}
        >
          {t('notifications.add_rule')}
        </Button>
      </div>
      <div className="panel scroll-x">
        {rules.length === 0 ? (
          <Empty icon={IconBell} title={t('notifications.none')}>
            <p>{t(mine.ways?.length ? 'notifications.none_hint' : 'notifications.no_ways_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('channels.column.name')}</th>
                <th>{t('channels.routing.when')}</th>
                <th>{t('notifications.by')}</th>
                <th aria-label={t('channels.column.actions')} />
              </tr>
            </thead>
            <tbody>
              {rules.map((rule, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a rule is known by its place
                <tr key={at}>
                  <td>
                    <strong>{rule.name}</strong>
                  </td>
                  <td>
                    <Conditions of={rule} also={also(rule)} />
                  </td>
                  <td>{rule.ways?.map((kind) => t(`channels.kind.${kind as 'slack'}`, kind)).join(', ')}</td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconPencil}
                        label={t('action.edit')}
                        of={rule.name}
                        onClick={() => setEditing(at)}
                      />
                      <RowAction
                        icon={IconTrash}
                        label={t('action.delete')}
                        of={rule.name}
                        onClick={() => setDeleting(at)}
                      />
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
      {editing !== undefined && (
        <RuleForm
          rule={rules[editing]}
          ways={mine.ways ?? []}
          orgs={orgs}
          zone={edit.time_zone}
          busy={busy}
          onSave={(rule) => {
            onSave(withRule(edit, editing, rule));
            setEditing(undefined);
          }}
          onClose={() => setEditing(undefined)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('notifications.delete_title', { name: rules[deleting ?? -1]?.name })}
        verb={t('action.delete')}
        danger
        onClose={() => setDeleting(undefined)}
        onConfirm={() => {
          onSave({ ...edit, rules: rules.filter((_, i) => i !== deleting) });
          setDeleting(undefined);
        }}
      >
        {t('notifications.delete_means')}
      </Confirm>
    </section>
  );
}

function Log() {
  const { t } = useTranslation();
  const list = useInfiniteQuery(myDeliveriesQuery);
  const rows = list.data?.pages.flatMap((page) => page.items ?? []);
  return (
    <section aria-label={t('notifications.log')}>
      <h3>{t('notifications.log')}</h3>
      <div className="panel scroll-x" aria-busy={list.isPending}>
        {list.error && !rows ? (
          <Failure error={list.error} retry={() => void list.refetch()} />
        ) : rows?.length === 0 ? (
          <Empty icon={IconBell} title={t('channels.log.none')} />
        ) : (
          <DeliveryTable rows={rows} pending={list.isPending} />
        )}
        {list.hasNextPage && (
          <div className="foot">
            <Button
              variant="default"
              size="compact-xs"
              loading={list.isFetchingNextPage}
              onClick={() => void list.fetchNextPage()}
            >
              {t('list.more')}
            </Button>
          </div>
        )}
      </div>
    </section>
  );
}
