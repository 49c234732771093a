import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type { Endpoint, Service, ServiceInstance, ServiceSummary, ServiceVersion, Top } from './types.ts';

const base = (project: number) => `/projects/${project}/services`;
const one = (project: number, service: string) => `${base(project)}/${encodeURIComponent(service)}`;

export const SERVICE_SORTS = ['worst', 'name', 'rate', 'errors', 'p95'] as const;
export type ServiceSort = (typeof SERVICE_SORTS)[number];

export interface ServiceFilter {
  q?: string;
  environment?: string;
  sort?: string;
}

export const servicesQuery = (project: number, filter: ServiceFilter, following: Following) =>
  ranged<Top<Service>>({ kind: 'services', path: base(project), query: { ...filter, limit: 500 }, ...following });

export const serviceQuery = (project: number, service: string, environment: string | undefined, following: Following) =>
  ranged<ServiceSummary>({ kind: 'service', path: one(project, service), query: { environment }, ...following });

export const endpointsQuery = (project: number, service: string, filter: ServiceFilter, following: Following) =>
  ranged<Top<Endpoint>>({
    kind: 'endpoints',
    path: `${one(project, service)}/endpoints`,
    query: { ...filter },
    ...following,
  });

export const instancesQuery = (project: number, service: string, filter: ServiceFilter, following: Following) =>
  ranged<Top<ServiceInstance>>({
    kind: 'instances',
    path: `${one(project, service)}/instances`,
    query: { ...filter },
    ...following,
  });

export const versionsQuery = (project: number, service: string, filter: ServiceFilter, following: Following) =>
  ranged<Top<ServiceVersion>>({
    kind: 'versions',
    path: `${one(project, service)}/versions`,
    query: { ...filter },
    ...following,
  });
