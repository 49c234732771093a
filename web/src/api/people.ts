import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type {
  GivenRole,
  Group,
  Invitation,
  Member,
  NewInvitation,
  NewToken,
  NewUser,
  Offer,
  Organisation,
  OrgRole,
  Permission,
  Project,
  ProjectSettings,
  ServiceAccount,
  Token,
  User,
  UserChange,
} from './types.ts';

/** Where people can be given a role: an organisation (group 0) or one of its groups. */
export interface Place {
  org: number;
  group: number;
  name: string;
}

/** A role that somebody has in a place. */
export interface Membership {
  place: Place;
  member: Member;
}

const placePath = ({ org, group }: Pick<Place, 'org' | 'group'>) => (group ? `/groups/${group}` : `/orgs/${org}`);
const membersPath = (place: Place) => `${placePath(place)}/members`;

export const membersQuery = (place: Place) => list<Member>(membersPath(place), ['members', place.org, place.group]);
export const setMember = (place: Place, email: string, role: GivenRole) =>
  put<void>(membersPath(place), { email, ...role });
export const removeMember = (place: Place, user: number) => remove(`${membersPath(place)}/${user}`);

export const orgsQuery = list<Organisation>('/orgs', ['orgs']);
export const orgQuery = (org: number) =>
  queryOptions({
    queryKey: ['orgs', org],
    queryFn: ({ signal }) => get<Organisation>(`/orgs/${org}`, undefined, signal),
  });
export const createOrg = (name: string) => post<Organisation>('/orgs', { name });
export const renameOrg = ({ id, version }: Organisation, name: string) =>
  put<Organisation>(`/orgs/${id}`, { name }, seen(version));

export const groupsQuery = (org: number) => list<Group>(`/orgs/${org}/groups`, ['groups', org]);
export const createGroup = (org: number, name: string) => post<Group>(`/orgs/${org}/groups`, { name });
export const createSubgroup = (parent: number, name: string) => post<Group>(`/groups/${parent}/groups`, { name });
export const moveGroup = ({ id, org_id, version }: Group, parent: number) =>
  put<Group>(`/orgs/${org_id}/groups/${id}/parent`, { parent_id: parent }, seen(version));
export const renameGroup = ({ id, version }: Group, name: string) =>
  put<Group>(`/groups/${id}`, { name }, seen(version));
export const deleteGroup = ({ id, version }: Group) => remove(`/groups/${id}`, seen(version));

export const groupProjectsQuery = (org: number, group: number) =>
  list<Project>(`/groups/${group}/projects`, ['groups', org, group, 'projects']);
export const createProject = (group: number, settings: ProjectSettings) =>
  post<Project>(`/groups/${group}/projects`, settings);

export const permissionsQuery = list<Permission>('/permissions', ['permissions']);
export const memberRolesQuery = (org: number) => list<OrgRole>(`/orgs/${org}/member-roles`, ['member-roles', org]);
export const createMemberRole = (org: number, name: string, permissions: string[]) =>
  post<OrgRole>(`/orgs/${org}/member-roles`, { name, permissions });
export const updateMemberRole = ({ id, org_id, version }: OrgRole, name: string, permissions: string[]) =>
  put<OrgRole>(`/orgs/${org_id}/member-roles/${id}`, { name, permissions }, seen(version));
export const deleteMemberRole = ({ id, org_id, version }: OrgRole) =>
  remove(`/orgs/${org_id}/member-roles/${id}`, seen(version));

const accountsPath = (org: number) => `/orgs/${org}/service-accounts`;
export const serviceAccountsQuery = (org: number) => list<ServiceAccount>(accountsPath(org), ['service-accounts', org]);
export const createServiceAccount = (org: number, name: string, role: GivenRole) =>
  post<ServiceAccount>(accountsPath(org), { name, ...role });
export const updateServiceAccount = ({ id, org_id, version }: ServiceAccount, name: string, disabled: boolean) =>
  put<ServiceAccount>(`${accountsPath(org_id)}/${id}`, { name, disabled }, seen(version));
const serviceTokensPath = ({ id, org_id }: ServiceAccount) => `${accountsPath(org_id)}/${id}/tokens`;
export const serviceTokensQuery = (account: ServiceAccount) =>
  list<Token>(serviceTokensPath(account), ['service-accounts', account.org_id, account.id, 'tokens']);
export const createServiceToken = (account: ServiceAccount, name: string, scopes: string[], expiresAt: string) =>
  post<NewToken>(serviceTokensPath(account), { name, scopes, expires_at: expiresAt });
export const revokeServiceToken = (account: ServiceAccount, token: number) =>
  remove(`${serviceTokensPath(account)}/${token}`);

/** What waits in a place; those of an organisation are all of its groups as well. */
export const invitationsQuery = (place: Place) =>
  list<Invitation>(`${placePath(place)}/invitations`, ['invitations', place.org, place.group]);
export const createInvitation = (place: Place, email: string, role: GivenRole, expiresAt: string) =>
  post<NewInvitation>(`${placePath(place)}/invitations`, {
    email: email || undefined,
    ...role,
    expires_at: expiresAt,
  });
export const revokeInvitation = ({ id, org_id, group_id }: Invitation) =>
  remove(`${placePath({ org: org_id, group: group_id })}/invitations/${id}`);
export const offerQuery = (secret: string) =>
  queryOptions({
    queryKey: ['invitation', secret],
    queryFn: () => post<Offer>('/invitations/look-up', { secret }),
    retry: false,
  });
export const acceptInvitation = (secret: string) => post<Organisation>('/invitations/accept', { secret });
export const joinByInvitation = (secret: string, email: string, name: string, password: string) =>
  post<Organisation>('/invitations/join', { secret, email, name: name || undefined, password });

export const usersQuery = list<User>('/users', ['users']);
export const createUser = (email: string, name: string) => post<NewUser>('/users', { email, name: name || undefined });
export const updateUser = ({ id, version }: User, change: UserChange) =>
  put<User>(`/users/${id}`, change, seen(version));

export const changePassword = (old: string, password: string) =>
  put<void>('/me/password', { old_password: old, password });

export const tokensQuery = list<Token>('/tokens', ['tokens']);
export const createToken = (name: string, scopes: string[], expiresAt: string) =>
  post<NewToken>('/tokens', { name, scopes, expires_at: expiresAt });
export const revokeToken = (token: number) => remove(`/tokens/${token}`);
