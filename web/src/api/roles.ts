import { queryOptions } from '@tanstack/react-query';
import { get, post, put, remove } from './client.ts';
import type { NewRole, Role, RoleEdit, RoleVersion } from './types.ts';

export const rolesQuery = queryOptions({
  queryKey: ['roles'],
  queryFn: async ({ signal }) => (await get<{ items: Role[] }>('/roles', undefined, signal)).items,
});

export const roleQuery = (code: string) =>
  queryOptions({
    queryKey: ['roles', code],
    queryFn: ({ signal }) => get<Role>(`/roles/${code}`, undefined, signal),
  });

/** Every version of a role, newest first. */
export const roleHistoryQuery = (code: string) =>
  queryOptions({
    queryKey: ['roles', code, 'history'],
    queryFn: async ({ signal }) =>
      (await get<{ items: RoleVersion[] }>(`/roles/${code}/history`, undefined, signal)).items,
  });

const seen = (version: number) => `"v${version}"`;

export const createRole = (role: NewRole) => post<Role>('/roles', role);

/** version is the one the edit began on: the server refuses when somebody was faster. */
export const updateRole = (code: string, version: number, edit: RoleEdit) =>
  put<Role>(`/roles/${code}`, edit, seen(version));

export const deleteRole = ({ code, version }: Role) => remove(`/roles/${code}`, seen(version));

/** Only what is edited of a role: the API refuses fields it does not know. */
export const editOf = ({
  description,
  system_message,
  chain,
  parameters,
  response_format,
  rate_limit_interval_ms,
}: Role): RoleEdit => ({
  description,
  system_message,
  chain: chain ?? [],
  parameters,
  response_format,
  rate_limit_interval_ms,
});
