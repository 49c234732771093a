import classes from './Chart.module.css';
import type { Values } from './grid.ts';
import { path } from './path.ts';

interface Props {
  values: Values;
  /** Of tokens.css, without its prefix. */
  tone?: string;
}

const WIDTH = 72;
const HEIGHT = 22;

/** The shape of a series beside its number; for sight only, the number says it all. */
export function Sparkline({ values, tone = 's1' }: Props) {
  return (
    <svg
      className={classes.spark}
      viewBox={`-1 -2 ${WIDTH + 2} ${HEIGHT + 4}`}
      width={WIDTH}
      height={HEIGHT}
      aria-hidden
      style={{ stroke: `var(--mx-${tone})` }}
    >
      <path d={path(values, WIDTH, HEIGHT)} />
    </svg>
  );
}
