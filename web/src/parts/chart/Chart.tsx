import { useComputedColorScheme } from '@mantine/core';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { duration } from '../../format/duration.ts';
import { bytes, count, figure, percent, rate } from '../../format/number.ts';
import { short } from '../../format/time.ts';
import classes from './Chart.module.css';
import { useCharts } from './Charts.tsx';
import { summary, type Values } from './grid.ts';

/** How a value is written, and on an axis beside its largest one. */
const UNITS = {
  duration: (ns: number) => duration(ns),
  rate: (perSecond: number, most?: number) => rate(perSecond, most),
  share: (share: number) => percent(share),
  count: (n: number) => count(n),
  seconds: (s: number) => duration(s * 1e9),
  bytes: (n: number) => bytes(n),
  byte_rate: (n: number) => `${bytes(n)}/s`,
  number: (n: number) => figure(n),
} as const;
export type Unit = keyof typeof UNITS;

/** A value in its unit, as charts write it. */
export const written = (unit: Unit, value: number) => UNITS[unit](value);

/** What the axis reaches at least: a flat line at zero is not to look like a mountain. */
const LEAST: Record<Unit, number> = {
  duration: 1e6,
  rate: 1 / 60,
  share: 0.05,
  count: 1,
  seconds: 1e-3,
  bytes: 1024,
  byte_rate: 1024,
  number: 1e-3,
};

export interface Line {
  label: string;
  values: Values;
  /** Of tokens.css, without its prefix: s1 to s8 or a status colour. */
  tone: string;
  /** What it is compared with stands behind it, dashed. */
  past?: boolean;
  /** Tells it from another line of the same tone. */
  dashed?: boolean;
  fill?: boolean;
}

type Told = (at: { left: number; top: number }, fire: boolean, publish: boolean) => void;

interface Props {
  title: string;
  unit: Unit;
  /** When each step begins, in Unix seconds. */
  at: number[];
  lines: Line[];
  /** Of the plot, in pixels. */
  height?: number;
}

/** Lines over time: drag narrows the range of the page, a double click goes back, left and right move along it. */
export function Chart({ title, unit, at, lines, height = HEIGHT }: Props) {
  const { t } = useTranslation();
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false });
  const shared = useCharts();
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const [cursor, setCursor] = useState<number>();
  const write = UNITS[unit];
  const data = useMemo(() => [at, ...lines.map((l) => l.values)] as uPlot.AlignedData, [at, lines]);
  // What a new plot is needed for; everything else is set on the one there is.
  const look = lines.map((l) => [l.label, l.tone, l.past, l.dashed, l.fill].join()).join(';');

  // biome-ignore lint/correctness/useExhaustiveDependencies: look stands for the lines, data is set below
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const made = new uPlot(
      {
        ...options(element, unit, lines, height),
        hooks: {
          setCursor: [(u) => setCursor(u.cursor.idx ?? undefined)],
          setSelect: [
            (u) => {
              const { left, width } = u.select;
              if (width > 4) shared.zoom(u.posToVal(left, 'x'), u.posToVal(left + width, 'x'));
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            },
          ],
        },
        cursor: {
          // The crosshair is everybody's, a drag is one chart's own.
          sync: { key: shared.name, filters: { pub: (type) => type === 'mousemove' || type === 'mouseleave' } },
          drag: { x: true, y: false, setScale: false },
          points: { size: 6 },
          bind: {
            dblclick: () => () => {
              shared.back();
              return null;
            },
          },
        },
      },
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [look, unit, height, scheme, shared]);

  useEffect(() => plot.current?.setData(data), [data]);

  const onKeyDown = (event: KeyboardEvent) => {
    const u = plot.current;
    const last = at.length - 1;
    const here = cursor ?? last;
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: last }[event.key];
    if (!u || to === undefined) return;
    event.preventDefault();
    const i = Math.max(0, Math.min(to, last));
    const left = u.valToPos(at[i] ?? 0, 'x');
    // The third argument, which its types do not name, tells the other charts.
    (u.setCursor as Told)({ left, top: u.over.clientHeight / 2 }, true, true);
  };

  const told = legend(lines, cursor);
  const when = cursor === undefined ? undefined : at[cursor];
  const spoken = told.map((l) => `${l.label} ${l.value === null ? t('chart.nothing') : write(l.value)}`).join(', ');
  return (
    <figure className={classes.chart}>
      <figcaption>
        <strong>{title}</strong>
        <span className="dim">{when !== undefined && short(when * 1000, Date.now())}</span>
      </figcaption>
      <div
        ref={box}
        className={classes.plot}
        style={{ minHeight: height }}
        role="slider"
        tabIndex={0}
        aria-label={t('chart.walk', { title })}
        aria-valuemin={0}
        aria-valuemax={Math.max(at.length - 1, 0)}
        aria-valuenow={cursor ?? Math.max(at.length - 1, 0)}
        aria-valuetext={when === undefined ? t('chart.no_moment') : `${short(when * 1000, Date.now())}: ${spoken}`}
        onKeyDown={onKeyDown}
      />
      <ul className={classes.legend}>
        {told.map((line) => (
          <li key={line.label}>
            <i data-past={line.past || line.dashed || undefined} style={{ borderColor: `var(--mx-${line.tone})` }} />
            <span title={line.label}>{line.label}</span>
            <b>{line.value === null ? '–' : write(line.value)}</b>
          </li>
        ))}
      </ul>
      <table className="offscreen">
        <caption>{title}</caption>
        <thead>
          <tr>
            <th>{t('chart.line')}</th>
            <th>{t('chart.least')}</th>
            <th>{t('chart.average')}</th>
            <th>{t('chart.most')}</th>
            <th>{t('chart.last')}</th>
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => {
            const sum = summary(line.values);
            return (
              <tr key={line.label}>
                <th>{line.label}</th>
                {(['least', 'average', 'most', 'last'] as const).map((key) => (
                  <td key={key}>{sum ? write(sum[key]) : t('chart.nothing')}</td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </figure>
  );
}

/** What each line is at the crosshair, or at its end without one: the largest first, the past last. */
function legend(lines: Line[], cursor: number | undefined) {
  return lines
    .map((line) => ({
      ...line,
      value: cursor === undefined ? (summary(line.values)?.last ?? null) : (line.values[cursor] ?? null),
    }))
    .sort(
      (a, b) =>
        Number(a.past ?? false) - Number(b.past ?? false) ||
        (b.value ?? Number.NEGATIVE_INFINITY) - (a.value ?? Number.NEGATIVE_INFINITY),
    );
}

const HEIGHT = 172;

function options(element: HTMLElement, unit: Unit, lines: Line[], height: number): uPlot.Options {
  const style = getComputedStyle(element);
  const color = (name: string) => style.getPropertyValue(`--mx-${name}`).trim();
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: color('ink-3'), font, grid: { stroke: color('line'), width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    padding: [8, 8, 0, 0],
    scales: { y: { range: (_, least, most) => reach(unit, least ?? 0, most ?? 0) } },
    axes: [
      { ...axis, grid: { show: false }, space: 64, size: 26, values: (_, splits) => clocks(splits) },
      {
        ...axis,
        size: 64,
        space: 34,
        incrs: unit.startsWith('byte') ? TWOS : undefined,
        values: (_, splits) => splits.map((v) => UNITS[unit](v, splits.at(-1))),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: color(line.tone),
        width: line.past ? 1.2 : 1.6,
        dash: line.past || line.dashed ? [4, 3] : undefined,
        fill: line.fill ? `color-mix(in srgb, ${color(line.tone)} 14%, transparent)` : undefined,
        spanGaps: false,
        points: { size: 4 },
      })),
    ],
  };
}

/** Bytes are counted in powers of two, and so are the lines between them. */
const TWOS = Array.from({ length: 60 }, (_, i) => 2 ** i);

/** From zero, or from below it where there are such values. */
const reach = (unit: Unit, least: number, most: number): [number, number] =>
  least < 0 ? [least * 1.08, Math.max(most * 1.08, 0)] : [0, Math.max(most * 1.08, LEAST[unit])];

/** Times of an axis in the reader's zone: the clock, and the day where one begins. */
function clocks(splits: number[]): string[] {
  return splits.map((seconds) => {
    const d = new Date(seconds * 1000);
    const two = (n: number) => String(n).padStart(2, '0');
    if (d.getHours() === 0 && d.getMinutes() === 0) return `${two(d.getMonth() + 1)}-${two(d.getDate())}`;
    return `${two(d.getHours())}:${two(d.getMinutes())}${d.getSeconds() ? `:${two(d.getSeconds())}` : ''}`;
  });
}
