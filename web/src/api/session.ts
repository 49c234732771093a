import { queryOptions } from '@tanstack/react-query';
import { get, post, remove } from './client.ts';
import type { Me, MemberRole, SignedOut } from './types.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => get<Me>('/me', undefined, signal),
  staleTime: 60_000,
  retry: false,
});

export const login = (email: string, password: string, code?: string) =>
  post<void>('/session', { email, password, code: code || undefined });
/** Ends the session; it says where to end the one at the provider too. */
export const logout = () => remove<SignedOut>('/session');

/** A project as its reader sees it: with its organisation's name and what the reader is there. */
export type ProjectView = Me['projects'][number] & { org_name: string; role: MemberRole };

/** What the reader may do in a group (0: in the organisation alone), by all their roles there and above. */
export const permissionsIn = (me: Me, org: number, group: number): readonly string[] =>
  me.access.find((a) => a.org_id === org && a.group_id === group)?.permissions ?? [];

/** Which of the product's roles comes nearest to what a reader may do in a group: a role of one's own may hold less of it. */
export function roleIn(me: Me, org: number, group: number): MemberRole | undefined {
  const held = permissionsIn(me, org, group);
  if (held.includes('org.owner')) return 'owner';
  if (held.includes('project.admin')) return 'admin';
  if (held.includes('project.write')) return 'editor';
  return held.length > 0 ? 'viewer' : undefined;
}

const everywhere = (me: Me, org: number) => me.user.system && kindOf(me, org) !== 'personal';

/** What a reader may act as there: a system administrator is an owner of every team. */
export const standingIn = (me: Me, org: number, group: number): MemberRole | undefined =>
  everywhere(me, org) ? 'owner' : roleIn(me, org, group);

/** Whether the reader may change people and groups there. */
export const mayAdmin = (me: Me, org: number, group: number): boolean =>
  everywhere(me, org) || permissionsIn(me, org, group).includes(group ? 'group.admin' : 'org.admin');

/** Whether the reader may make and unmake owners there. */
export const mayOwn = (me: Me, org: number, group: number): boolean =>
  everywhere(me, org) || permissionsIn(me, org, group).includes('org.owner');

/** Whether the reader may read the organisation's audit log. */
export const mayAudit = (me: Me, org: number): boolean =>
  everywhere(me, org) || permissionsIn(me, org, 0).includes('org.audit');

/** Whether the reader may give a role that holds these: nobody gives more than they have. */
export const mayGive = (me: Me, org: number, group: number, permissions: readonly string[]): boolean =>
  everywhere(me, org) || permissions.every((p) => permissionsIn(me, org, group).includes(p));

const kindOf = (me: Me, org: number) => me.orgs.find((o) => o.id === org)?.kind;

/** The projects of one reader. */
export function projectsOf(me: Me): ProjectView[] {
  return me.projects.map((project) => ({
    ...project,
    org_name: me.orgs.find((o) => o.id === project.org_id)?.name ?? '',
    role: roleIn(me, project.org_id, project.group_id) ?? 'viewer',
  }));
}
