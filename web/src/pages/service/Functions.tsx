import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { count, percent } from '../../format/number.ts';
import { Bar } from '../../parts/Bar.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SortHead } from '../../parts/SortHead.tsx';
import { type Calls, functionsOf } from './calls.ts';
import type { ListProps } from './list.ts';
import classes from './Service.module.css';

const MOST = 100;

interface Props {
  calls: Calls;
  amount: (n: number) => string;
  list: ListProps;
}

/** The functions by what was counted in them. Choosing one marks it above. */
export function Functions({ calls, amount, list: { sort, q, set } }: Props) {
  const { t } = useTranslation();
  const by = sort === 'total' || sort === 'name' ? sort : 'self';
  const functions = useMemo(() => functionsOf(calls), [calls]);
  const rows = useMemo(() => {
    const low = (q ?? '').toLowerCase();
    return functions
      .filter(({ name }) => name.toLowerCase().includes(low))
      .sort((a, b) => (by === 'name' ? 0 : b[by] - a[by]) || a.name.localeCompare(b.name));
  }, [functions, q, by]);
  const whole = Math.max(1, calls.root.total);
  const head = { current: by, onSort: (next: string) => set({ sort: next === 'self' ? undefined : next }) };
  return (
    <>
      <div className="scroll-x">
        <table className="table" aria-label={t('profiles.functions')}>
          <thead>
            <tr>
              <SortHead by="name" ascending {...head}>
                {t('profiles.function')}
              </SortHead>
              <SortHead by="self" num {...head}>
                {t('profiles.self')}
              </SortHead>
              <th>{t('profiles.self_share')}</th>
              <SortHead by="total" num {...head}>
                {t('profiles.total')}
              </SortHead>
              <th>{t('profiles.total_share')}</th>
            </tr>
          </thead>
          <tbody onKeyDown={rowKeys}>
            {rows.slice(0, MOST).map(({ name, self, total }) => (
              <tr key={name} className="link">
                <td>
                  <button type="button" className={`row-link ${classes.function}`} onClick={() => set({ q: name })}>
                    {name}
                  </button>
                </td>
                <td className="num">
                  <strong>{self > 0 ? amount(self) : '–'}</strong>
                </td>
                <td>
                  <Share of={self / whole} />
                </td>
                <td className="num">{amount(total)}</td>
                <td>
                  <Share of={total / whole} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="foot">
        <span>{t('list.shown', { shown: count(Math.min(rows.length, MOST)), total: count(functions.length) })}</span>
      </div>
    </>
  );
}

function Share({ of }: { of: number }) {
  return (
    <div className="row">
      <Bar share={of} style={{ minWidth: 70 }} />
      <span className="nowrap">{percent(of)}</span>
    </div>
  );
}
