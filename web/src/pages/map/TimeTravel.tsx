import { ActionIcon, Button, Tooltip } from '@mantine/core';
import {
  IconChevronLeft,
  IconChevronRight,
  IconHistory,
  IconPlayerPauseFilled,
  IconPlayerPlayFilled,
  IconX,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type PointerEvent, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { activityQuery } from '../../api/map.ts';
import { duration } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { short } from '../../format/time.ts';
import { useNow } from '../../parts/useNow.ts';
import { type Moments, windowOf } from './moments.ts';
import classes from './TimeTravel.module.css';

interface Props {
  project: number;
  environment: string | undefined;
  moments: Moments;
  /** The moment shown. */
  index: number;
  /** The map of that moment is on its way. */
  loading: boolean;
  onMove: (index: number) => void;
  onClose: () => void;
}

/** How long one moment stands while they play, in ms. */
const BEAT = 1200;

/** Walks through the moments of the range: each with how much came in then, and how much of it failed. */
export function TimeTravel({ project, environment, moments, index, loading, onMove, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const now = useNow();
  const [playing, setPlaying] = useState(false);
  const last = moments.count - 1;
  const { from, to } = windowOf(moments, index);
  const activity = useQuery(activityQuery(project, environment, moments));
  const bars = useMemo(() => barsOf(activity.data, moments.count), [activity.data, moments.count]);
  const move = (to: number) => onMove(Math.min(last, Math.max(0, to)));

  useEffect(() => {
    if (!playing || loading) return;
    if (index >= last) return setPlaying(false);
    const beat = setTimeout(() => onMove(index + 1), BEAT);
    return () => clearTimeout(beat);
  }, [playing, loading, index, last, onMove]);

  const onKeyDown = (event: KeyboardEvent) => {
    const next = {
      ArrowLeft: index - 1,
      ArrowDown: index - 1,
      ArrowRight: index + 1,
      ArrowUp: index + 1,
      PageDown: index - 10,
      PageUp: index + 10,
      Home: 0,
      End: last,
    }[event.key];
    if (event.key === ' ') setPlaying(!playing);
    else if (next === undefined) return;
    else move(next);
    event.preventDefault();
  };
  const onPointer = (event: PointerEvent<HTMLDivElement>) => {
    if (event.type === 'pointerdown') event.currentTarget.setPointerCapture(event.pointerId);
    else if (event.buttons !== 1) return;
    const { left, width } = event.currentTarget.getBoundingClientRect();
    move(Math.floor(((event.clientX - left) / width) * moments.count));
  };
  const words = bars[index];
  const said = `${short(from, now)} – ${short(to, now)}`;
  const numbers = words ? t('map.travel.activity', { n: count(words.count), failed: count(words.failed) }) : '';

  return (
    <section className={classes.bar} aria-label={t('map.travel.title')}>
      <Step label={t('map.travel.back')} disabled={index === 0} onClick={() => move(index - 1)}>
        <IconChevronLeft size={16} />
      </Step>
      <Step label={playing ? t('map.travel.pause') : t('map.travel.play')} onClick={() => startOrStop()}>
        {playing ? <IconPlayerPauseFilled size={14} /> : <IconPlayerPlayFilled size={14} />}
      </Step>
      <Step label={t('map.travel.on')} disabled={index === last} onClick={() => move(index + 1)}>
        <IconChevronRight size={16} />
      </Step>
      <div
        className={classes.strip}
        role="slider"
        tabIndex={0}
        aria-label={t('map.travel.moment')}
        aria-valuemin={0}
        aria-valuemax={last}
        aria-valuenow={index}
        aria-valuetext={[said, numbers].filter(Boolean).join(', ')}
        onKeyDown={onKeyDown}
        onPointerDown={onPointer}
        onPointerMove={onPointer}
      >
        {bars.map((bar, i) => (
          <span
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            key={i}
            data-on={i === index || undefined}
            title={`${short(windowOf(moments, i).from, now)}\n${t('map.travel.activity', { n: count(bar.count), failed: count(bar.failed) })}`}
          >
            <i style={{ height: `${bar.height}%` }}>
              <i style={{ height: `${bar.share}%` }} />
            </i>
          </span>
        ))}
      </div>
      <div className={classes.words} aria-live="polite" aria-busy={loading}>
        <strong>{said}</strong>
        <span className="dim">
          {[t('map.travel.step', { length: duration(moments.step * 1e6, i18n.language) }), numbers]
            .filter(Boolean)
            .join(' · ')}
        </span>
      </div>
      <Button variant="default" leftSection={<IconX size={14} />} onClick={onClose}>
        {t('map.travel.end')}
      </Button>
    </section>
  );

  function startOrStop() {
    if (!playing && index >= last) move(0);
    setPlaying(!playing);
  }
}

/** Starts the walk. */
export function TravelButton({ disabled, onClick }: { disabled: boolean; onClick: () => void }) {
  const { t } = useTranslation();
  return (
    <Button variant="default" leftSection={<IconHistory size={15} />} disabled={disabled} onClick={onClick}>
      {t('map.travel.start')}
    </Button>
  );
}

function Step({
  label,
  disabled,
  onClick,
  children,
}: {
  label: string;
  disabled?: boolean;
  onClick: () => void;
  children: React.ReactNode;
}) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={28} aria-label={label} disabled={disabled} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}

interface Bar {
  count: number;
  failed: number;
  /** Of the strip, in percent: a quiet moment is still seen beside a busy one. */
  height: number;
  /** Of the bar that failed, in percent. */
  share: number;
}

function barsOf(activity: { x: number[]; count: number[]; failed: number[] } | undefined, n: number): Bar[] {
  const bars = Array.from({ length: n }, (): Bar => ({ count: 0, failed: 0, height: 0, share: 0 }));
  const most = Math.max(1, ...(activity?.count ?? []));
  activity?.x.forEach((x, i) => {
    const all = activity.count[i] ?? 0;
    const failed = activity.failed[i] ?? 0;
    if (bars[x]) {
      bars[x] = {
        count: all,
        failed,
        height: Math.max(8, (100 * all) / most),
        share: failed ? Math.max(12, (100 * failed) / all) : 0,
      };
    }
  });
  return bars;
}
