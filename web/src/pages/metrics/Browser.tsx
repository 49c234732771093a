import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { metadataQuery, metricNamesQuery, type Saying } from '../../api/metrics.ts';
import { count } from '../../format/number.ts';
import { Filter, holds } from '../../parts/Filter.tsx';
import { firstQuery } from '../../parts/metric/promql.ts';
import classes from './Metrics.module.css';

interface Props {
  project: number;
  filter: string;
  onFilter: (text: string) => void;
  onChoose: (query: string) => void;
}

/** Metrics listed at once. */
const LISTED = 300;

/** The metrics there are, with what their senders say of them; one of them asks a first question about it. */
export function Browser({ project, filter, onFilter, onChoose }: Props) {
  const { t } = useTranslation();
  const names = useQuery(metricNamesQuery(project));
  const metadata = useQuery(metadataQuery(project));
  const families = useMemo(() => familiesOf(names.data ?? [], metadata.data ?? {}), [names.data, metadata.data]);
  const all = useMemo(() => new Set(names.data), [names.data]);
  const found = families.filter(({ name, said }) => holds(filter, name, said?.help ?? ''));
  return (
    <aside className={`panel ${classes.browser}`} aria-label={t('metrics.browser')}>
      <Filter width={228} label={t('metrics.filter')} value={filter} onChange={onFilter} />
      {names.isPending ? (
        <Skeleton height={300} mt={8} />
      ) : (
        <>
          <ul>
            {found.slice(0, LISTED).map(({ name, said }) => (
              <li key={name}>
                <button
                  type="button"
                  title={said?.help || undefined}
                  onClick={() => onChoose(firstQuery(name, said?.type ?? '', all))}
                >
                  <code>{broken(name)}</code>
                  {said && (
                    <small>
                      <b>{[said.type, said.unit].filter(Boolean).join(' · ')}</b> {said.help}
                    </small>
                  )}
                </button>
              </li>
            ))}
          </ul>
          <p className="dim">
            {t('list.shown', { shown: count(Math.min(found.length, LISTED)), total: count(families.length) })}
          </p>
        </>
      )}
    </aside>
  );
}

/** A name that wraps behind its underscores, not in the middle of a word. */
const broken = (name: string) =>
  name.split(/(?<=_)/).map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a name have no other name
    <Fragment key={i}>
      {i > 0 && <wbr />}
      {part}
    </Fragment>
  ));

/** The series of a histogram or a summary are one metric. */
function familiesOf(names: string[], said: Record<string, Saying[]>): { name: string; said?: Saying }[] {
  const families = names.map((name) => {
    if (said[name]) return name;
    const family = name.replace(/_(bucket|sum|count)$/, '');
    return said[family] ? family : name;
  });
  return [...new Set(families)].map((name) => ({ name, said: said[name]?.[0] }));
}
