import { useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { projectsQuery } from '../api/session.ts';
import type { Project } from '../api/types.ts';

/** The project the address names, when the reader may see it. */
export function useProject(): Project | undefined {
  const { project } = useParams({ strict: false });
  const { data } = useSuspenseQuery(projectsQuery);
  return data.find((p) => String(p.id) === project);
}

/** The number of the project the address names; for pages that live under a project. */
export const useProjectId = (): number => Number(useParams({ strict: false }).project);

/** Whether the reader may change things in this project. The server decides; this only hides what it would refuse. */
export function useCanWrite(): boolean {
  const role = useProject()?.role;
  return role === 'owner' || role === 'admin' || role === 'editor';
}

export function useCanAdmin(): boolean {
  const role = useProject()?.role;
  return role === 'owner' || role === 'admin';
}
