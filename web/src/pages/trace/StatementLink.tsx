import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';

/** Leads to the page about one SQL statement. */
export function StatementLink({ project, hash, children }: { project: number; hash: string; children: ReactNode }) {
  if (!hash) return null;
  return (
    <Link to="/projects/$project/sql/$hash" params={{ project: String(project), hash }}>
      {children}
    </Link>
  );
}
