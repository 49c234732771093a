import type { Values } from './grid.ts';

/** An SVG path through the values from zero up, broken at gaps. A point without neighbours is a dot of the line's caps. */
export function path(values: Values, width: number, height: number): string {
  const most = Math.max(...values.map((v) => v ?? 0)) || 1;
  const across = width / Math.max(values.length - 1, 1);
  const round = (n: number) => String(Number(n.toFixed(1)));
  return values
    .map((v, i) => {
      if (v === null) return '';
      const point = `${round(i * across)} ${round(height * (1 - v / most))}`;
      if ((values[i - 1] ?? null) !== null) return `L${point}`;
      return `M${point}${(values[i + 1] ?? null) === null ? 'h0' : ''}`;
    })
    .join('');
}
