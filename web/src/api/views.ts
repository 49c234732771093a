import { list, post, remove } from './client.ts';
import type { View } from './types.ts';

export type ViewKind = View['kind'];

export const viewsQuery = (project: number, kind: ViewKind) =>
  list<View>(`/projects/${project}/views?kind=${kind}`, ['views', project, kind]);

export const saveView = (project: number, kind: ViewKind, name: string, query: string) =>
  post<View>(`/projects/${project}/views`, { kind, name, query });

export const deleteView = (project: number, id: number) => remove(`/projects/${project}/views/${id}`);
