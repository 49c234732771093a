import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type { Label, LabelEdit, LabelMove, NewRole, Role, RoleChange, RoleEdit, RoleVersion } from './types.ts';

export const rolesQuery = list<Role>('/roles', ['roles']);

/** The latest version of a role, which need not be the one in production. */
export const roleQuery = (code: string) =>
  queryOptions({
    queryKey: ['roles', code],
    queryFn: ({ signal }) => get<Role>(`/roles/${code}`, undefined, signal),
  });

/** Every version of a role, newest first. */
export const roleHistoryQuery = (code: string) =>
  list<RoleVersion>(`/roles/${code}/history`, ['roles', code, 'history']);

/** Under which names calls find which versions of a role. */
export const labelsQuery = (code: string) => list<Label>(`/roles/${code}/labels`, ['roles', code, 'labels']);

/** What was done to the labels of a role, newest first. */
export const movesQuery = (code: string) => list<LabelMove>(`/roles/${code}/moves`, ['roles', code, 'moves']);

export const createRole = (role: NewRole) => post<Role>('/roles', role);

/** version is the one the edit began on: the server refuses when somebody was faster. */
export const updateRole = (code: string, version: number, edit: RoleChange) =>
  put<Role>(`/roles/${code}`, edit, seen(version));

export const deleteRole = ({ code, version }: Role) => remove(`/roles/${code}`, seen(version));

const labelPath = (code: string, label: string) => `/roles/${code}/labels/${encodeURIComponent(label)}`;

export const setLabel = (code: string, label: string, edit: LabelEdit) => put<Label>(labelPath(code, label), edit);

/** Who removes a protected label has been asked. */
export const removeLabel = (code: string, { name, protected: kept }: Label) =>
  remove(`${labelPath(code, name)}${kept ? '?override=true' : ''}`);

/** Only what is edited of a role: the API refuses fields it does not know. */
export const editOf = (role: Role): RoleEdit => ({
  name: role.name,
  description: role.description,
  system_message: role.system_message,
  chain: role.chain ?? [],
  parameters: role.parameters,
  response_format: role.response_format ?? undefined,
  rate_limit_interval_ms: role.rate_limit_interval_ms,
  retries: role.retries ?? undefined,
  log_optional: role.log_optional,
  keep_texts: (role.keep_texts || undefined) as RoleEdit['keep_texts'],
  masking: role.masking,
});
