import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { differencesQuery, type Ends, type Rectangle } from '../../api/scatter.ts';
import type { TransactionFilter } from '../../api/traces.ts';
import type { Difference } from '../../api/types.ts';
import { count, percent } from '../../format/number.ts';
import { Failure } from '../../parts/Failure.tsx';
import { write } from '../../parts/query/language.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import classes from './Scatter.module.css';

interface Props {
  project: number;
  filter: Omit<TransactionFilter, 'order'>;
  ends: Ends;
  selected: Rectangle;
  /** Adds a term to the search. */
  onTerm: (term: string) => void;
}

/** Which attributes the selected transactions have more, or less, often than the rest. */
export function DifferencesPanel({ project, filter, ends, selected, onTerm }: Props) {
  const { t } = useTranslation();
  const query = useQuery(differencesQuery(project, filter, ends, selected, Date.now));
  const items = query.data?.items ?? [];
  return (
    <section className={`panel ${classes.panel}`} aria-busy={query.isPending} aria-label={t('scatter.differences')}>
      <div className={classes.bar}>
        <h2>{t('scatter.differences')}</h2>
        {query.data && (
          <span className="dim">
            {t('scatter.compared', { selected: count(query.data.selected), rest: count(query.data.rest) })}
            {query.data.selected_sample + query.data.rest_sample < query.data.selected + query.data.rest &&
              ` ${t('scatter.sample', { selected: count(query.data.selected_sample), rest: count(query.data.rest_sample) })}`}
          </span>
        )}
      </div>
      {query.isError && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : !query.isPending && items.length === 0 ? (
        <p className={classes.notice} style={{ paddingBottom: 10 }}>
          {t(query.data?.rest === 0 ? 'scatter.no_rest' : 'scatter.no_difference')}
        </p>
      ) : (
        <table className="table">
          <thead>
            <tr>
              <th>{t('scatter.attribute')}</th>
              <th>{t('scatter.value')}</th>
              <th>{t('scatter.shares')}</th>
              <th className="num">{t('scatter.support')}</th>
              <th aria-label={t('scatter.narrow')} />
            </tr>
          </thead>
          <tbody>
            {query.isPending ? (
              <SkeletonRows rows={4} columns={5} />
            ) : (
              items
                .slice(0, 12)
                .map((item) => <Row key={`${item.attribute}=${item.value}`} item={item} onTerm={onTerm} />)
            )}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Row({ item, onTerm }: { item: Difference; onTerm: Props['onTerm'] }) {
  const { t } = useTranslation();
  const narrowed = write(item.attribute, item.value, item.score < 0);
  return (
    <tr>
      <td>
        <code>{item.attribute}</code>
      </td>
      <td>{item.value}</td>
      <td>
        <div className={classes.shares}>
          <div className={classes.share}>
            <i data-selected style={{ width: percentage(item.selected) }} />
          </div>
          <span>{percent(item.selected)}</span>
          <div className={classes.share}>
            <i style={{ width: percentage(item.rest) }} />
          </div>
          <span className="dim">{percent(item.rest)}</span>
        </div>
      </td>
      <td className="num">{count(item.support)}</td>
      <td className="num">
        <Button
          variant="default"
          size="compact-xs"
          onClick={() => onTerm(narrowed)}
          aria-label={t('scatter.narrow_to', { term: narrowed })}
        >
          {t('scatter.narrow')}
        </Button>
      </td>
    </tr>
  );
}

const percentage = (share: number) => `${share * 100}%`;
