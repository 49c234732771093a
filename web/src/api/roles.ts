import { queryOptions } from '@tanstack/react-query';
import { get, put } from './client.ts';
import type { Role } from './types.ts';

export const rolesQuery = queryOptions({
  queryKey: ['roles'],
  queryFn: async ({ signal }) => (await get<{ items: Role[] }>('/roles', undefined, signal)).items,
});

export type RoleEdit = Omit<Role, 'code' | 'version' | 'updated_at' | 'updated_by'>;

export const updateRole = (code: string, version: number, edit: RoleEdit) =>
  put<Role>(`/roles/${code}`, edit, `"v${version}"`);
