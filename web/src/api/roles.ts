import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type { Label, LabelEdit, LabelMove, NewRole, Role, RoleChange, RoleEdit, RoleVersion } from './types.ts';

/** Which role: whose it is, 0 for the installation, and the code that calls name it by. */
export type RoleRef = Pick<Role, 'owner' | 'code'>;

const base = (org: number) => (org === 0 ? '/roles' : `/orgs/${org}/ai-roles`);
const path = ({ owner, code }: RoleRef) => `${base(owner)}/${code}`;
const key = ({ owner, code }: RoleRef) => ['roles', owner, code] as const;

/** The roles of an owner; with those of an organisation also the installation's, as calls get them. */
export const rolesQuery = (org: number) => list<Role>(base(org), ['roles', org]);

/**
 * The latest version of a role, which need not be the one in production. Where
 * an organisation has none of that code, it is the installation's in production.
 */
export const roleQuery = (ref: RoleRef) =>
  queryOptions({
    queryKey: key(ref),
    queryFn: ({ signal }) => get<Role>(path(ref), undefined, signal),
  });

/** Every version of a role, newest first. */
export const roleHistoryQuery = (ref: RoleRef) => list<RoleVersion>(`${path(ref)}/history`, [...key(ref), 'history']);

/** Under which names calls find which versions of a role. */
export const labelsQuery = (ref: RoleRef) => list<Label>(`${path(ref)}/labels`, [...key(ref), 'labels']);

/** What was done to the labels of a role, newest first. */
export const movesQuery = (ref: RoleRef) => list<LabelMove>(`${path(ref)}/moves`, [...key(ref), 'moves']);

export const createRole = (org: number, role: NewRole) => post<Role>(base(org), role);

/** Makes an organisation's own role of the installation's, as that is in production. */
export const copyRole = (org: number, code: string) => post<Role>(`${path({ owner: org, code })}/copy`);

/** version is the one the edit began on: the server refuses when somebody was faster. */
export const updateRole = (ref: RoleRef, version: number, edit: RoleChange) =>
  put<Role>(path(ref), edit, seen(version));

export const deleteRole = (role: Role) => remove(path(role), seen(role.version));

const labelPath = (ref: RoleRef, label: string) => `${path(ref)}/labels/${encodeURIComponent(label)}`;

export const setLabel = (ref: RoleRef, label: string, edit: LabelEdit) => put<Label>(labelPath(ref, label), edit);

/** Who removes a protected label has been asked. */
export const removeLabel = (ref: RoleRef, { name, protected: kept }: Label) =>
  remove(`${labelPath(ref, name)}${kept ? '?override=true' : ''}`);

/** The names of the model providers that chains of an owner's roles may name. */
export const chainProvidersQuery = (org: number) =>
  queryOptions({
    queryKey: ['providers', 'names', org],
    queryFn: async ({ signal }) => {
      const { items } = await get<{ items: { name: string }[] }>(
        org === 0 ? '/ai-providers' : `/orgs/${org}/ai-chain-providers`,
        undefined,
        signal,
      );
      return [...new Set(items.map((provider) => provider.name))];
    },
  });

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
