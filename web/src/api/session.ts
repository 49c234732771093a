import { queryOptions } from '@tanstack/react-query';
import { get, post, remove } from './client.ts';
import type { Me, MemberRole } from './types.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => get<Me>('/me', undefined, signal),
  staleTime: 60_000,
  retry: false,
});

export const login = (email: string, password: string) => post<void>('/session', { email, password });
export const logout = () => remove('/session');

const RANK: MemberRole[] = ['viewer', 'editor', 'admin', 'owner'];

/** A project as its reader sees it: with its organisation's name and the reader's own role. */
export type ProjectView = Me['projects'][number] & { org_name: string; role: MemberRole | undefined };

/** The projects of one reader. A role in a group and one in the whole organisation both count: the higher holds. */
export function projectsOf(me: Me): ProjectView[] {
  return me.projects.map((project) => {
    const ranks = me.memberships
      .filter((m) => m.org_id === project.org_id && (m.group_id === 0 || m.group_id === project.group_id))
      .map((m) => RANK.indexOf(m.role as MemberRole));
    return {
      ...project,
      org_name: me.orgs.find((o) => o.id === project.org_id)?.name ?? '',
      role: RANK[Math.max(-1, ...ranks)],
    };
  });
}
