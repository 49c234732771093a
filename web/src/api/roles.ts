import { queryOptions } from '@tanstack/react-query';
import { get, put } from './client.ts';
import type { Role, RoleEdit } from './types.ts';

export const rolesQuery = queryOptions({
  queryKey: ['roles'],
  queryFn: async ({ signal }) => (await get<{ items: Role[] }>('/roles', undefined, signal)).items,
});

export const updateRole = (code: string, version: number, edit: RoleEdit) =>
  put<Role>(`/roles/${code}`, edit, `"v${version}"`);
