import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import classes from './FlameGraph.module.css';
import { type Box, boxes, type Frame, flameOf } from './flame.ts';
import type { Look } from './look.ts';
import type { Model } from './model.ts';

const ROW = 22;
const THINNEST = 3; // px
const READABLE = 34; // px

interface Props {
  model: Model;
  services: Map<string, Look>;
  selected: number;
  lit?: ReadonlySet<number>;
  onSelect: (span: number) => void;
}

/** Who called whom and how much each worked, equal calls as one. Clicking fills the width with a frame. */
export function FlameGraph({ model, services, selected, lit, onSelect }: Props) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const flame = useMemo(() => flameOf(model), [model]);
  const [focus, setFocus] = useState<Frame>(flame.root);
  const [hovered, setHovered] = useState<Frame>();
  const drawn = useMemo(() => (width > 0 ? boxes(focus, THINNEST / width) : []), [focus, width]);
  const shining = useMemo(() => lit && new Set([...lit].map((i) => flame.of[i])), [lit, flame]);
  const told = hovered ?? flame.of[selected] ?? focus;
  const deepest = drawn.reduce((most, box) => Math.max(most, box.depth), 0);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') setFocus(focus.parent ?? flame.root);
  };
  return (
    <section className={classes.flame} aria-label={t('trace.flame')}>
      <p className={classes.told}>
        <Told frame={told} model={model} whole={flame.root.total} />
        {focus !== flame.root && (
          <button type="button" onClick={() => setFocus(flame.root)}>
            {t('trace.zoom_out')}
          </button>
        )}
      </p>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Escape goes one frame up; the frames are buttons */}
      <div
        ref={ref}
        className={classes.boxes}
        style={{ height: (deepest + 1) * ROW }}
        onKeyDown={onKeyDown}
        onMouseLeave={() => setHovered(undefined)}
      >
        {drawn.map((box) => (
          <FrameBox
            key={keyOf(box)}
            box={box}
            model={model}
            look={services.get(model.outline.operations[box.frame.operation]?.service ?? '')}
            wide={box.width * width > READABLE}
            dark={shining !== undefined && !shining.has(box.frame)}
            selected={flame.of[selected] === box.frame}
            onHover={() => setHovered(box.frame)}
            onOpen={() => {
              setFocus(box.frame);
              if (box.frame.longest >= 0) onSelect(box.frame.longest);
            }}
          />
        ))}
      </div>
    </section>
  );
}

const keyOf = ({ frame, depth, left }: Box) => `${depth}-${frame.longest}-${left}`;

interface BoxProps {
  box: Box;
  model: Model;
  look?: Look;
  wide: boolean;
  dark: boolean;
  selected: boolean;
  onHover: () => void;
  onOpen: () => void;
}

function FrameBox({ box, model, look, wide, dark, selected, onHover, onOpen }: BoxProps) {
  const { t } = useTranslation();
  const { frame } = box;
  const name = nameOf(frame, model, t('trace.whole'), t('trace.kind.missing'));
  return (
    <button
      type="button"
      className={classes.box}
      data-dark={dark || undefined}
      data-failed={frame.failed > 0 || undefined}
      data-selected={selected || undefined}
      aria-label={`${name} ${duration(frame.total)}`}
      style={
        {
          top: box.depth * ROW,
          left: `${box.left * 100}%`,
          width: `calc(${box.width * 100}% - 1px)`,
          '--c': look?.colour ?? 'var(--mx-s8)',
        } as React.CSSProperties
      }
      onMouseEnter={onHover}
      onFocus={onHover}
      onClick={onOpen}
    >
      {wide && <span className="clip">{name}</span>}
    </button>
  );
}

function Told({ frame, model, whole }: { frame: Frame; model: Model; whole: number }) {
  const { t } = useTranslation();
  return (
    <span>
      <strong>{nameOf(frame, model, t('trace.whole'), t('trace.kind.missing'))}</strong>{' '}
      <span className="soft">{model.outline.operations[frame.operation]?.service}</span>{' '}
      {t('trace.flame_told', {
        total: duration(frame.total),
        share: percent(frame.total / Math.max(1, whole)),
        self: duration(frame.self),
        spans: count(frame.spans || model.spans.length),
      })}
    </span>
  );
}

const nameOf = (frame: Frame, model: Model, whole: string, missing: string) =>
  frame.operation < 0 ? whole : model.outline.operations[frame.operation]?.name || missing;
