import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './SortHead.module.css';

interface Props {
  /** The order this column stands for. */
  by: string;
  current: string;
  /** Names from a to z; numbers begin with the largest. */
  ascending?: boolean;
  num?: boolean;
  onSort: (by: string) => void;
  children: ReactNode;
}

/** The head of a column that a list can be ordered by. */
export function SortHead({ by, current, ascending, num, onSort, children }: Props) {
  const on = by === current;
  const Icon = !on ? IconArrowsSort : ascending ? IconArrowUp : IconArrowDown;
  return (
    <th className={num ? 'num' : undefined} aria-sort={on ? (ascending ? 'ascending' : 'descending') : 'none'}>
      <button type="button" className={classes.sort} data-on={on || undefined} onClick={() => onSort(by)}>
        {children}
        <Icon size={13} stroke={1.8} aria-hidden />
      </button>
    </th>
  );
}
