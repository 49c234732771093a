import { queryOptions } from '@tanstack/react-query';
import { get, post, remove } from './client.ts';
import type { Me, Project } from './types.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: ({ signal }) => get<Me>('/me', undefined, signal),
  staleTime: 5 * 60_000,
  retry: false,
});

export const projectsQuery = queryOptions({
  queryKey: ['projects'],
  queryFn: async ({ signal }) => (await get<{ items: Project[] }>('/projects', undefined, signal)).items,
  staleTime: 60_000,
});

export const login = (email: string, password: string) => post<Me>('/session', { email, password });
export const logout = () => remove('/session');
