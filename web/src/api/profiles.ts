import type { Following } from './pages.ts';
import { ranged } from './ranged.ts';
import type { FlameGraph, Page, ProfileKind } from './types.ts';

export interface ProfileFilter {
  service: string;
  environment?: string;
}

/** What call stacks a service has. */
export const profileKindsQuery = (project: number, filter: ProfileFilter, following: Following) =>
  ranged<Page<ProfileKind>>({
    kind: 'profile-kinds',
    path: `/projects/${project}/profiles`,
    query: { ...filter },
    ...following,
  });

/** The call stacks of a kind, added up; an endpoint of '' is all of them. */
export const flameQuery = (
  project: number,
  filter: ProfileFilter & { kind: string; endpoint?: string },
  following: Following,
) =>
  ranged<FlameGraph>({
    kind: 'flame',
    path: `/projects/${project}/profiles/flame`,
    query: { ...filter },
    ...following,
  });
