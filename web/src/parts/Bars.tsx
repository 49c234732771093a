import classes from './Bars.module.css';

interface Props {
  /** One per step. */
  bars: number[];
  label: string;
  width?: number;
  height?: number;
}

/** A histogram as small as a word. */
export function Bars({ bars, label, width = 120, height = 24 }: Props) {
  const most = Math.max(1, ...bars);
  const step = width / Math.max(1, bars.length);
  return (
    <svg className={classes.bars} width={width} height={height} role="img" aria-label={label}>
      <line x1={0} x2={width} y1={height - 0.5} y2={height - 0.5} />
      {bars.map((n, i) => {
        const tall = n === 0 ? 0 : Math.max(2, (n / most) * (height - 2));
        return (
          // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
          <rect key={i} x={i * step} y={height - tall} width={Math.max(1, step - 1)} height={tall} />
        );
      })}
    </svg>
  );
}
