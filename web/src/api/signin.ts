import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove, seen } from './client.ts';
import type {
  Demand,
  DirectoryToken,
  LiveSession,
  LoginProvider,
  NewDirectoryToken,
  NewSecondFactor,
  OidcChecked,
  OidcProvider,
  OidcProviderEdit,
  Provisioning,
  SecondFactor,
} from './types.ts';

export const sessionsQuery = list<LiveSession>('/sessions', ['sessions']);
export const endSession = (id: string) => remove(`/sessions/${id}`);
export const endOtherSessions = () => remove('/sessions');

export const userSessionsQuery = (user: number) =>
  list<LiveSession>(`/users/${user}/sessions`, ['users', user, 'sessions']);
export const endUserSessions = (user: number) => remove(`/users/${user}/sessions`);
export const resetSecondFactor = (user: number) => remove(`/users/${user}/totp`);

export const secondFactorQuery = queryOptions({
  queryKey: ['totp'],
  queryFn: ({ signal }) => get<SecondFactor>('/me/totp', undefined, signal),
});
export const beginSecondFactor = (password: string) => post<NewSecondFactor>('/me/totp', { password });
export const confirmSecondFactor = (code: string) => post<{ codes: string[] }>('/me/totp/confirm', { code });
export const renewRecovery = (code: string) => post<{ codes: string[] }>('/me/totp/recovery', { code });
export const removeSecondFactor = (password: string, code: string) => post<void>('/me/totp/remove', { password, code });

const demandPath = (org: number) => (org ? `/orgs/${org}/sign-in` : '/sign-in');

/** What an organisation, or with 0 the installation, demands of who signs in with a password. */
export const demandQuery = (org: number) =>
  queryOptions({
    queryKey: ['sign-in', org],
    queryFn: ({ signal }) => get<Demand>(demandPath(org), undefined, signal),
  });
export const setDemand = (org: number, secondFactor: boolean) =>
  put<Demand>(demandPath(org), { second_factor: secondFactor });

/** Why a login at a provider did not come to an end. */
export const LOGIN_FAILURES = [
  'provider',
  'unreached',
  'denied',
  'expired',
  'unverified',
  'domain',
  'account',
  'disabled',
  'linked',
  'failed',
  'unavailable',
] as const;
export type LoginFailure = (typeof LOGIN_FAILURES)[number];

export const loginProvidersQuery = queryOptions({
  ...list<LoginProvider>('/session/providers', ['login-providers']),
  retry: false,
});

/** Where a browser goes to log in at a provider: a page, not a request. */
export const loginPath = (provider: string, to: string | undefined) =>
  `/api/v1/session/oidc/${encodeURIComponent(provider)}${to ? `?to=${encodeURIComponent(to)}` : ''}`;

const providerPath = (code: string) => `/oidc-providers/${encodeURIComponent(code)}`;
export const oidcProvidersQuery = list<OidcProvider>('/oidc-providers', ['oidc-providers']);
export const createOidcProvider = (code: string, edit: OidcProviderEdit) =>
  post<OidcProvider>('/oidc-providers', { code, ...edit });
export const updateOidcProvider = ({ code, version }: OidcProvider, edit: OidcProviderEdit) =>
  put<OidcProvider>(providerPath(code), edit, seen(version));
export const deleteOidcProvider = ({ code, version }: OidcProvider) => remove(providerPath(code), seen(version));
export const checkOidcProvider = (code: string) => post<OidcChecked>(`${providerPath(code)}/check`);

export const unlinkUser = (user: number) => remove(`/users/${user}/identities`);

export const provisioningQuery = (org: number) =>
  queryOptions({
    queryKey: ['provisioning', org],
    queryFn: ({ signal }) => get<Provisioning>(`/orgs/${org}/provisioning`, undefined, signal),
  });
export const createDirectoryToken = (org: number, name: string, role: string) =>
  post<NewDirectoryToken>(`/orgs/${org}/provisioning/tokens`, { name, role });
export const revokeDirectoryToken = ({ org_id, id }: DirectoryToken) =>
  remove(`/orgs/${org_id}/provisioning/tokens/${id}`);
