import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type { Host, HostOverview, Top } from './types.ts';

const base = (project: number) => `/projects/${project}/hosts`;

export const HOST_SORTS = ['worst', 'name', 'cpu', 'memory', 'disk', 'network', 'load'] as const;

export interface HostFilter {
  q?: string;
  sort?: string;
}

export const hostsQuery = (project: number, filter: HostFilter, following: Following) =>
  ranged<Top<Host>>({ kind: 'hosts', path: base(project), query: { ...filter, limit: 500 }, ...following });

export const hostQuery = (project: number, host: string, following: Following) =>
  ranged<HostOverview>({ kind: 'host', path: `${base(project)}/${encodeURIComponent(host)}`, ...following });
