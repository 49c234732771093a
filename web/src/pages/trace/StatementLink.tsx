import { useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';

const PAGE = '/projects/$project/statements/$hash';

/** Leads to the page about one SQL statement. */
export function StatementLink({ project, hash, children }: { project: number; hash: string; children: ReactNode }) {
  const router = useRouter();
  if (!hash || !Object.hasOwn(router.routesByPath, PAGE)) return null;
  return <a href={`/projects/${project}/statements/${hash}`}>{children}</a>;
}
