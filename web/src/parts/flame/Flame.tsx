import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type ReactNode, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import classes from './Flame.module.css';
import { boxes, type Call } from './layout.ts';

const ROW = 22;
const THINNEST = 3; // px
const READABLE = 34; // px

/** How a frame is drawn. */
export interface FrameLook {
  name: string;
  /** What is counted in it and below, with its unit. */
  total: string;
  /** CSS value. */
  colour: string;
  dark?: boolean;
  failed?: boolean;
  selected?: boolean;
}

interface Props<F> {
  label: string;
  root: F;
  /** The frame that fills the width. */
  focus: F;
  /** The frame told about while the pointer is on none. */
  resting: F;
  look: (frame: F) => FrameLook;
  told: (frame: F) => ReactNode;
  onFocus: (frame: F) => void;
}

/** Who called whom and how much was counted in each. Clicking fills the width with a frame. */
export function Flame<F extends Call<F> & object>({ label, root, focus, resting, look, told, onFocus }: Props<F>) {
  const { t } = useTranslation();
  const { ref, width } = useElementSize();
  const [hovered, setHovered] = useState<F>();
  const keyOf = useKeys<F>();
  const drawn = useMemo(() => (width > 0 ? boxes(focus, THINNEST / width) : []), [focus, width]);
  const deepest = drawn.reduce((most, box) => Math.max(most, box.depth), 0);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') onFocus(focus.parent ?? root);
  };
  return (
    <section className={classes.flame} aria-label={label}>
      <p className={classes.told}>
        <span>{told(hovered ?? resting)}</span>
        {focus !== root && (
          <button type="button" onClick={() => onFocus(root)}>
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
        {drawn.map((box) => {
          const { name, total, colour, dark, failed, selected } = look(box.frame);
          return (
            <button
              key={keyOf(box.frame)}
              type="button"
              className={classes.box}
              data-dark={dark || undefined}
              data-failed={failed || undefined}
              data-selected={selected || undefined}
              aria-label={`${name} ${total}`}
              style={
                {
                  top: box.depth * ROW,
                  left: `${box.left * 100}%`,
                  width: `calc(${box.width * 100}% - 1px)`,
                  '--c': colour,
                } as React.CSSProperties
              }
              onMouseEnter={() => setHovered(box.frame)}
              onFocus={() => setHovered(box.frame)}
              onClick={() => onFocus(box.frame)}
            >
              {box.width * width > READABLE && <span className="clip">{name}</span>}
            </button>
          );
        })}
      </div>
    </section>
  );
}

/** A frame keeps its key, and with it the keyboard's focus, wherever zooming puts it. */
function useKeys<F extends object>(): (frame: F) => number {
  return useMemo(() => {
    const keys = new WeakMap<F, number>();
    let last = 0;
    return (frame) => {
      const key = keys.get(frame) ?? ++last;
      keys.set(frame, key);
      return key;
    };
  }, []);
}
