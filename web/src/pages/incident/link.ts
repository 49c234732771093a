import type { Fact } from '../../api/types.ts';

/** The pages that show the data of facts, by the first part of their path below the project. */
export const DATA_PAGES = ['transactions', 'traces', 'sql', 'logs', 'metrics', 'services', 'incidents'] as const;
export type DataPage = (typeof DATA_PAGES)[number];

export interface DataLink {
  page: DataPage;
  /** The path, without what is asked of it. */
  to: string;
  search: Record<string, string>;
}

/** Where the data of a fact is shown; undefined when there is nothing to show, or nothing of ours. */
export function dataLink({ link }: Pick<Fact, 'link'>): DataLink | undefined {
  const [, name] = /^\/projects\/\d+\/([a-z]+)(?:[/?]|$)/.exec(link ?? '') ?? [];
  const page = DATA_PAGES.find((each) => each === name);
  if (!link || !page) return undefined;
  const [to = '', asked = ''] = link.split('?', 2);
  return { page, to, search: Object.fromEntries(new URLSearchParams(asked)) };
}
