import { useNavigate, useSearch } from '@tanstack/react-router';
import { createContext, type ReactNode, useContext, useId, useMemo, useRef } from 'react';
import type { RangeSearch } from '../../frame/range.ts';
import classes from './Chart.module.css';

interface Shared {
  /** Charts of the same name move their crosshairs together. */
  name: string;
  zoom: (from: number, to: number) => void;
  back: () => void;
}

const Context = createContext<Shared | undefined>(undefined);

/** The charts of a page: one crosshair, and one time range, which dragging over any of them narrows. */
export function Charts({ children, className = classes.charts }: { children: ReactNode; className?: string }) {
  const name = useId();
  const navigate = useNavigate();
  const { range, from, to } = useSearch({ strict: false }) as RangeSearch;
  const current = useRef<RangeSearch>({});
  current.current = { range, from, to };
  const before = useRef<RangeSearch[]>([]);
  const shared = useMemo(() => {
    const go = (next: RangeSearch) =>
      void navigate({
        to: '.',
        search: (old) => ({ ...old, range: undefined, from: undefined, to: undefined, ...next }),
        resetScroll: false,
      });
    return {
      name,
      zoom: (first: number, last: number) => {
        before.current.push(current.current);
        go({ from: new Date(first * 1000).toISOString(), to: new Date(last * 1000).toISOString() });
      },
      back: () => {
        const wider = before.current.pop();
        if (wider) go(wider);
      },
    };
  }, [name, navigate]);
  return (
    <Context value={shared}>
      <div className={className}>{children}</div>
    </Context>
  );
}

export function useCharts(): Shared {
  const shared = useContext(Context);
  if (!shared) throw new Error('a Chart stands within Charts');
  return shared;
}
