import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type { StatementPage, StatementStats, Top } from './types.ts';

const base = (project: number) => `/projects/${project}/statements`;

export const STATEMENT_SORTS = ['time', 'rate', 'average', 'p95', 'errors', 'rows'] as const;
export type StatementSort = (typeof STATEMENT_SORTS)[number];

export interface StatementFilter {
  q?: string;
  service?: string;
  system?: string;
  sort?: string;
}

export const statementsQuery = (project: number, filter: StatementFilter, following: Following) =>
  ranged<Top<StatementStats>>({
    kind: 'statements',
    path: base(project),
    query: { ...filter, limit: 100 },
    ...following,
  });

export const statementQuery = (project: number, hash: string, service: string | undefined, following: Following) =>
  ranged<StatementPage>({ kind: 'statement', path: `${base(project)}/${hash}`, query: { service }, ...following });
