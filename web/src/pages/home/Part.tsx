import { Skeleton } from '@mantine/core';
import { IconCircleCheckFilled } from '@tabler/icons-react';
import { Link, type LinkProps } from '@tanstack/react-router';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { count } from '../../format/number.ts';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { Stale } from '../../parts/Stale.tsx';
import classes from './Home.module.css';

interface PartProps {
  title: string;
  query: Parameters<typeof Stale>[0]['query'] & { isPending: boolean };
  /** How much there is, beside the title. */
  about?: ReactNode;
  /** Says that all is well, in the place of rows. */
  quiet: string;
  /** The list this is the beginning of, and how long it is. */
  all: { link: LinkProps; total: number };
  /** Of the skeleton. */
  waiting: number;
  rows: ReactNode[];
}

/** The worst of one kind: its rows, or one line that says that nothing is wrong. */
export function Part({ title, query, about, quiet, all, waiting, rows }: PartProps) {
  const { t } = useTranslation();
  const id = useId();
  return (
    <section className="panel" aria-labelledby={id} aria-busy={query.isPending}>
      <header className={classes.head}>
        <h2 id={id}>{title}</h2>
        {!query.isPending && query.data && rows.length === 0 ? (
          <span className={classes.quiet}>
            <IconCircleCheckFilled size={15} aria-hidden />
            {quiet}
          </span>
        ) : query.data ? (
          about
        ) : null}
        {all.total > 0 ? (
          <Link {...all.link} aria-label={`${title}: ${t('home.all')}`}>
            {t('home.all_of', { total: count(all.total) })}
          </Link>
        ) : (
          <span />
        )}
      </header>
      <Stale query={query} />
      {query.isError && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <ul className={classes.rows} onKeyDown={rowKeys}>
          {query.isPending ? <Waiting rows={waiting} /> : rows}
        </ul>
      )}
    </section>
  );
}

function Waiting({ rows }: { rows: number }) {
  return Array.from({ length: rows }, (_, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
    <li key={i} className={classes.row} aria-hidden>
      <Skeleton height={18} width={64} radius="xl" />
      <Skeleton height={12} width={`${38 + ((i * 17) % 30)}%`} />
    </li>
  ));
}

interface RowProps {
  /** The badge of its state. */
  state: ReactNode;
  link: LinkProps;
  title: ReactNode;
  /** Beside the title, less loud. */
  also?: ReactNode;
  second: ReactNode;
  /** Colours the second line, when that says what is wrong. */
  tone?: string;
  shape?: ReactNode;
  figure?: ReactNode;
  aside?: ReactNode;
}

/** One thing that is wrong, or the next to look at. */
export function Row({ state, link, title, also, second, tone, shape, figure, aside }: RowProps) {
  return (
    <li className={classes.row}>
      <div>{state}</div>
      <div>
        <div className="clip">
          <Link {...link} className="row-link">
            {title}
          </Link>{' '}
          <span className="soft">{also}</span>
        </div>
        <div className={`clip ${classes.second}`} data-state={tone}>
          {second}
        </div>
      </div>
      <div className={classes.shape}>{shape}</div>
      <div className={classes.figure}>{figure}</div>
      <div className={`${classes.aside} ${classes.second}`}>{aside}</div>
    </li>
  );
}
