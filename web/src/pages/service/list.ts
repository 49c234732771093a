import type { Following } from '../../api/pages.ts';

/** What every list of a service's page is asked with. */
export interface ListProps {
  project: number;
  service: string;
  environment: string | undefined;
  sort: string | undefined;
  q: string | undefined;
  following: Following;
  /** Changes the page's search parameters. */
  set: (next: Record<string, string | undefined>) => void;
}
