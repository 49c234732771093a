import { type PointerEvent, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LogHistogram } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { absolute } from '../../format/time.ts';
import { LEVEL_LOOK, LEVELS, type Level } from '../../parts/levels.ts';
import { stack, timeTicks } from './bars.ts';
import classes from './Histogram.module.css';

// The height of the bars, in px.
const HEIGHT = 72;

interface Props {
  data: LogHistogram;
  /** The levels that are shown; none: all. */
  only: readonly string[];
  onZoom: (from: Date, to: Date) => void;
  onBack: () => void;
}

/** How many records there are over time, by level. Dragging over bars zooms into their time. */
export function Histogram({ data, only, onZoom, onBack }: Props) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState<number>();
  const [drag, setDrag] = useState<[number, number]>();
  const { bars, top, n } = stack(data, only);
  const origin = Date.parse(data.from);
  const step = data.step_seconds * 1000;
  const moment = (bar: number) => new Date(origin + bar * step);

  const barAt = (event: PointerEvent) => {
    const { left, width } = box.current?.getBoundingClientRect() ?? { left: 0, width: 1 };
    return Math.min(n - 1, Math.max(0, Math.floor(((event.clientX - left) / width) * n)));
  };
  const shown = over === undefined ? undefined : bars[over];
  const [first, last] = drag ? [Math.min(...drag), Math.max(...drag)] : [0, -1];

  return (
    <div className={classes.histogram}>
      <span className={classes.top} aria-hidden>
        {count(top)}
      </span>
      <div
        ref={box}
        className={classes.plot}
        role="img"
        aria-label={t('logs.histogram', { total: count(data.total) })}
        onPointerMove={(event) => {
          setOver(barAt(event));
          if (drag) setDrag([drag[0], barAt(event)]);
        }}
        onPointerLeave={() => setOver(undefined)}
        onPointerDown={(event) => {
          if (event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag([barAt(event), barAt(event)]);
        }}
        onPointerUp={() => {
          setDrag(undefined);
          if (drag && drag[0] !== drag[1]) onZoom(moment(first), moment(last + 1));
        }}
        onPointerCancel={() => setDrag(undefined)}
        onDoubleClick={onBack}
      >
        <svg viewBox={`0 0 ${n} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden>
          {bars.map((bar) =>
            bar.parts.map(({ level, from, to }) => (
              <rect
                key={`${bar.at}-${level}`}
                x={bar.at + 0.08}
                width={0.84}
                y={HEIGHT - (to / top) * HEIGHT}
                height={Math.max(((to - from) / top) * HEIGHT, 1)}
                fill={LEVEL_LOOK[level].colour}
                fillOpacity={level === 'info' || level === 'debug' ? 0.55 : 1}
              />
            )),
          )}
        </svg>
        {over !== undefined && !drag && (
          <i className={classes.cross} style={{ left: `${(over / n) * 100}%`, width: `${100 / n}%` }} />
        )}
        {drag && (
          <i
            className={classes.drag}
            style={{ left: `${(first / n) * 100}%`, width: `${((last - first + 1) / n) * 100}%` }}
          />
        )}
        {shown && (
          <div
            className={classes.tip}
            style={{ left: `${((shown.at + 0.5) / n) * 100}%` }}
            data-right={shown.at > n / 2 || undefined}
          >
            <strong>{absolute(moment(shown.at))}</strong>
            {LEVELS.map((level) => {
              const part = shown.parts.find((p) => p.level === level);
              return (
                part && (
                  <div key={level}>
                    <Swatch level={level} />
                    <span>{t(`logs.level.${level}`)}</span>
                    <span>{count(part.to - part.from)}</span>
                  </div>
                )
              );
            })}
            {shown.parts.length === 0 && <span className="dim">{t('logs.no_records')}</span>}
          </div>
        )}
      </div>
      <div className={classes.axis} aria-hidden>
        {timeTicks(origin, origin + n * step, 8)
          .map(({ at, label }) => ({ label, left: ((at - origin) / (n * step)) * 100 }))
          .filter(({ left }) => left > 2 && left < 98) // no half of a label
          .map(({ label, left }) => (
            <span key={left} style={{ left: `${left}%` }}>
              {label}
            </span>
          ))}
      </div>
    </div>
  );
}

/** The colour and letter of a level. */
export function Swatch({ level }: { level: Level }) {
  const { letter, colour } = LEVEL_LOOK[level];
  return (
    <b className={classes.swatch} style={{ '--c': colour } as React.CSSProperties} aria-hidden>
      {letter}
    </b>
  );
}
