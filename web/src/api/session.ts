import { queryOptions } from '@tanstack/react-query';
import { get, post, remove } from './client.ts';
import type { Me, MemberRole } from './types.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => get<Me>('/me', undefined, signal),
  staleTime: 60_000,
  retry: false,
});

export const login = (email: string, password: string, code?: string) =>
  post<void>('/session', { email, password, code: code || undefined });
export const logout = () => remove('/session');

const RANK: MemberRole[] = ['viewer', 'editor', 'admin', 'owner'];

/** A project as its reader sees it: with its organisation's name and the reader's own role. */
export type ProjectView = Me['projects'][number] & { org_name: string; role: MemberRole | undefined };

/** A reader's role in a group (0: in the organisation alone). A role in the whole organisation counts too: the higher holds. */
export function roleIn(me: Me, org: number, group: number): MemberRole | undefined {
  const ranks = me.memberships
    .filter((m) => m.org_id === org && (m.group_id === 0 || m.group_id === group))
    .map((m) => RANK.indexOf(m.role as MemberRole));
  return RANK[Math.max(-1, ...ranks)];
}

/** What a reader may act as there: a system administrator is an owner of every team. */
export const standingIn = (me: Me, org: number, group: number): MemberRole | undefined =>
  me.user.system && kindOf(me, org) !== 'personal' ? 'owner' : roleIn(me, org, group);

/** Whether the reader may change people and groups there. */
export function mayAdmin(me: Me, org: number, group: number): boolean {
  const role = standingIn(me, org, group);
  return role === 'owner' || role === 'admin';
}

/** Whether the reader may make and unmake owners there. */
export const mayOwn = (me: Me, org: number, group: number): boolean => standingIn(me, org, group) === 'owner';

const kindOf = (me: Me, org: number) => me.orgs.find((o) => o.id === org)?.kind;

/** The projects of one reader. */
export function projectsOf(me: Me): ProjectView[] {
  return me.projects.map((project) => ({
    ...project,
    org_name: me.orgs.find((o) => o.id === project.org_id)?.name ?? '',
    role: roleIn(me, project.org_id, project.group_id),
  }));
}
