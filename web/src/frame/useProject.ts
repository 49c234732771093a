import { useSuspenseQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { meQuery, type ProjectView, projectsOf } from '../api/session.ts';
import { rememberedProject } from './remembered.ts';

export function useProjects(): ProjectView[] {
  const { data } = useSuspenseQuery(meQuery);
  return useMemo(() => projectsOf(data), [data]);
}

/** The project the address names, when the reader may see it; on pages above projects the one they came from. */
export function useProject(): ProjectView | undefined {
  const { project = String(rememberedProject()) } = useParams({ strict: false });
  return useProjects().find((p) => String(p.id) === project);
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
