import { Button, Select, TextInput } from '@mantine/core';
import { IconMailPlus, IconTrash } from '@tabler/icons-react';
import { useQueries } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createInvitation, invitationsQuery, type Place, revokeInvitation } from '../../api/people.ts';
import type { Invitation } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { FormModal } from '../../parts/FormModal.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { Shown } from '../../parts/Shown.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import { givenOf, RoleSelect, useRoleName } from '../members/RoleSelect.tsx';
import { usePlaceName } from '../members/usePlaceName.ts';
import classes from './Org.module.css';

const DAYS = ['1', '7', '30'];

interface Props {
  org: number;
  /** All places of the organisation that the reader sees. */
  places: Place[];
  /** Those that the reader can invite to: the organisation's own stands for all its groups. */
  mine: Place[];
}

/** Links that give a role, each once. */
export function Invitations({ org, places, mine }: Props) {
  const { t } = useTranslation();
  const now = useNow();
  const roleName = useRoleName();
  const placeName = usePlaceName();
  const whole = mine.filter((p) => p.group === 0);
  const lists = useQueries({ queries: (whole.length > 0 ? whole : mine).map(invitationsQuery) });
  const failed = lists.find((l) => l.error && !l.data);
  const data = lists.some((l) => !l.data) ? undefined : lists.flatMap((l) => l.data ?? []).sort((a, b) => b.id - a.id);
  const [making, setMaking] = useState(false);
  const [link, setLink] = useState<string>();
  const revoke = useChange(revokeInvitation, { refresh: ['invitations', org], done: t('invitations.revoked') });
  if (failed) return <Failure error={failed.error} retry={() => void Promise.all(lists.map((l) => l.refetch()))} />;
  const state = (i: Invitation) =>
    i.accepted_at
      ? t('invitations.accepted', { name: i.accepted_by })
      : i.revoked_at
        ? t('settings.is_revoked')
        : Date.parse(i.expires_at) < now
          ? t('invitations.over')
          : t('invitations.waits');
  const waits = (i: Invitation) => !i.accepted_at && !i.revoked_at && Date.parse(i.expires_at) >= now;
  const where = (group: number) => places.find((p) => p.group === group);
  return (
    <section className={classes.part} aria-label={t('invitations.title')}>
      <div className="page-head">
        <h2>{t('invitations.title')}</h2>
        <Button variant="default" leftSection={<IconMailPlus size={15} />} onClick={() => setMaking(true)}>
          {t('invitations.add')}
        </Button>
      </div>
      {data?.length === 0 ? (
        <p className="dim">{t('invitations.none')}</p>
      ) : (
        <div className="panel" aria-busy={!data}>
          <table className="table">
            <thead>
              <tr>
                <th>{t('invitations.for')}</th>
                <th>{t('settings.role')}</th>
                <th>{t('settings.through')}</th>
                <th>{t('invitations.by')}</th>
                <th>{t('settings.expires')}</th>
                <th>{t('settings.state')}</th>
                <th aria-label={t('settings.actions')} />
              </tr>
            </thead>
            <tbody>
              {!data && <SkeletonRows rows={2} columns={7} />}
              {data?.map((i) => {
                const place = where(i.group_id);
                return (
                  <tr key={i.id} className={waits(i) ? undefined : 'off'}>
                    <td>{i.email || <span className="dim">{t('invitations.anybody')}</span>}</td>
                    <td>{roleName(i)}</td>
                    <td className="soft">{place ? placeName(place) : String(i.group_id)}</td>
                    <td>{i.created_by}</td>
                    <td>
                      <When at={i.expires_at} />
                    </td>
                    <td>{state(i)}</td>
                    <td>
                      {waits(i) && (
                        <div className="row-actions">
                          <RowAction
                            icon={IconTrash}
                            label={t('action.revoke')}
                            of={i.email || String(i.id)}
                            onClick={() => revoke.mutate(i)}
                          />
                        </div>
                      )}
                    </td>
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
      {making && (
        <New
          org={org}
          places={mine}
          onClose={() => setMaking(false)}
          onMade={(secret) => {
            setMaking(false);
            setLink(`${window.location.origin}/invite#${secret}`);
          }}
        />
      )}
      {link && (
        <Shown title={t('invitations.link')} secret={link} onClose={() => setLink(undefined)}>
          {t('invitations.link_means')}
        </Shown>
      )}
    </section>
  );
}

interface NewProps {
  org: number;
  places: Place[];
  onClose: () => void;
  onMade: (secret: string) => void;
}

function New({ org, places, onClose, onMade }: NewProps) {
  const { t } = useTranslation();
  const placeName = usePlaceName();
  const [email, setEmail] = useState('');
  const [group, setGroup] = useState(places[0]?.group ?? 0);
  const [role, setRole] = useState('viewer');
  const [days, setDays] = useState('7');
  const place = places.find((p) => p.group === group);
  const make = useChange(
    async () => {
      if (!place) return undefined;
      const until = new Date(Date.now() + Number(days) * 86_400_000 - 60_000).toISOString();
      return createInvitation(place, email.trim(), givenOf(role), until);
    },
    { refresh: ['invitations', org], onDone: (made) => made && onMade(made.secret) },
  );
  return (
    <FormModal
      title={t('invitations.add')}
      verb={t('invitations.make')}
      size="sm"
      busy={make.isPending}
      onSubmit={() => make.mutate(undefined)}
      onClose={onClose}
    >
      <TextInput
        label={t('login.email')}
        description={t('invitations.email_means')}
        type="email"
        maxLength={254}
        data-autofocus
        value={email}
        onChange={(e) => setEmail(e.currentTarget.value)}
      />
      <Select
        label={t('settings.through')}
        allowDeselect={false}
        data={places.map((p) => ({ value: String(p.group), label: placeName(p) }))}
        value={String(group)}
        onChange={(value) => value && setGroup(Number(value))}
      />
      <RoleSelect place={place} value={role} onChange={setRole} />
      <Select
        label={t('settings.expires')}
        allowDeselect={false}
        data={DAYS.map((d) => ({ value: d, label: t('settings.days', { days: d }) }))}
        value={days}
        onChange={(d) => d && setDays(d)}
      />
    </FormModal>
  );
}
