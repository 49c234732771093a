import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { groupMembersQuery, orgMembersQuery } from '../../api/project.ts';
import type { Member } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { When } from '../../parts/When.tsx';

/** Who may see this project: by a role in the organisation, or in the project's group. */
export function Members({ org, group }: { org: number; group: number }) {
  const { t } = useTranslation();
  const ofOrg = useQuery(orgMembersQuery(org));
  const ofGroup = useQuery(groupMembersQuery(group));
  const error = ofGroup.error ?? ofOrg.error;
  if (error) return <Failure error={error} retry={() => void Promise.all([ofOrg.refetch(), ofGroup.refetch()])} />;
  const members = ofOrg.data &&
    ofGroup.data && [...ofOrg.data.map((m) => row(m, false)), ...ofGroup.data.map((m) => row(m, true))];
  return (
    <>
      <p className="lead">{t('settings.members_lead')}</p>
      <section className="panel" aria-busy={!members}>
        <table className="table">
          <thead>
            <tr>
              <th>{t('settings.name')}</th>
              <th>{t('login.email')}</th>
              <th>{t('settings.role')}</th>
              <th>{t('settings.through')}</th>
              <th>{t('settings.since')}</th>
            </tr>
          </thead>
          <tbody>
            {!members && <SkeletonRows rows={3} columns={5} />}
            {members?.map((m) => (
              <tr key={m.key}>
                <td>
                  <strong>{m.member.name}</strong>
                </td>
                <td>{m.member.email}</td>
                <td>{t(`settings.roles.${m.member.role as 'owner'}`, m.member.role)}</td>
                <td className="soft">{t(m.inGroup ? 'settings.group' : 'settings.org')}</td>
                <td>
                  <When at={m.member.created_at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

const row = (member: Member, inGroup: boolean) => ({ key: `${inGroup}-${member.user_id}`, member, inGroup });
