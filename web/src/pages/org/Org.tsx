import { ActionIcon, Skeleton, Tooltip } from '@mantine/core';
import { IconPencil } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { groupsQuery, orgQuery, renameOrg } from '../../api/people.ts';
import { mayAdmin, mayAudit, meQuery } from '../../api/session.ts';
import type { Organisation } from '../../api/types.ts';
import { DemandSwitch } from '../../parts/DemandSwitch.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { NameForm } from '../../parts/NameForm.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { Members } from '../members/Members.tsx';
import { Groups } from './Groups.tsx';
import { Invitations } from './Invitations.tsx';
import { MemberRoles } from './MemberRoles.tsx';
import classes from './Org.module.css';
import { Provisioning } from './Provisioning.tsx';
import { ServiceAccounts } from './ServiceAccounts.tsx';

/** One organisation: its groups with their projects, and its people. */
export function Org() {
  const { t } = useTranslation();
  const id = Number(useParams({ from: '/home/orgs/$org' }).org);
  const { data: me } = useSuspenseQuery(meQuery);
  const org = useQuery(orgQuery(id));
  const groups = useQuery(groupsQuery(id));
  useTitle(org.data?.name, t('nav.orgs'));
  const failed = org.error && !org.data ? org : groups.error && !groups.data ? groups : undefined;
  if (failed) {
    return (
      <div className="page">
        <Failure error={failed.error} retry={() => void Promise.all([org.refetch(), groups.refetch()])} />
      </div>
    );
  }
  if (!org.data || !groups.data) {
    return (
      <div className="page" aria-busy>
        <Skeleton height={26} width={220} mb={20} />
        <Skeleton height={220} mb={28} />
        <Skeleton height={180} />
      </div>
    );
  }
  const places = [
    { org: id, group: 0, name: org.data.name },
    ...groups.data.map((g) => ({ org: id, group: g.id, name: g.name })),
  ];
  const team = org.data.kind === 'team';
  const mine = places.filter((p) => mayAdmin(me, id, p.group));
  return (
    <div className="page">
      <Head org={org.data} canAdmin={mayAdmin(me, id, 0)} canAudit={mayAudit(me, id)} />
      <Groups key={id} org={org.data} groups={groups.data} />
      {team && <MemberRoles org={id} canAdmin={mayAdmin(me, id, 0)} />}
      <Members places={places} />
      {team && mine.length > 0 && <Invitations org={id} places={places} mine={mine} />}
      {team && mayAdmin(me, id, 0) && (
        <>
          <ServiceAccounts org={id} name={org.data.name} />
          <section className={classes.below} aria-label={t('signin.title')}>
            <div className="page-head">
              <h2>{t('signin.title')}</h2>
            </div>
            <DemandSwitch key={id} org={id} />
          </section>
          <section className={classes.below} aria-label={t('provisioning.title')}>
            <Provisioning key={id} org={id} mayAdd={me.user.system} />
          </section>
        </>
      )}
    </div>
  );
}

function Head({ org, canAdmin, canAudit }: { org: Organisation; canAdmin: boolean; canAudit: boolean }) {
  const { t } = useTranslation();
  const [renaming, setRenaming] = useState(false);
  const rename = useChange((name: string) => renameOrg(org, name), {
    refresh: ['orgs'],
    also: ['me'],
    done: t('orgs.renamed'),
    onDone: () => setRenaming(false),
  });
  return (
    <>
      <div className="page-head">
        <h1 style={{ marginRight: 0 }}>{org.name}</h1>
        <span className="dim">{t(`orgs.kinds.${org.kind}`)}</span>
        {canAudit && (
          <Link to="/orgs/$org/audit" params={{ org: String(org.id) }} style={{ marginLeft: 'auto', order: 1 }}>
            {t('nav.audit')}
          </Link>
        )}
        {canAdmin && (
          <Tooltip label={t('orgs.rename')}>
            <ActionIcon variant="subtle" color="gray" aria-label={t('orgs.rename')} onClick={() => setRenaming(true)}>
              <IconPencil size={16} />
            </ActionIcon>
          </Tooltip>
        )}
      </div>
      {renaming && (
        <NameForm
          title={t('orgs.rename')}
          name={org.name}
          busy={rename.isPending}
          onSubmit={(name) => rename.mutate(name)}
          onClose={() => setRenaming(false)}
        />
      )}
    </>
  );
}
