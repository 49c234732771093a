import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove } from './client.ts';
import type { Demand, LiveSession, NewSecondFactor, SecondFactor } from './types.ts';

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
