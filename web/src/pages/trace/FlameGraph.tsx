import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { Flame } from '../../parts/flame/Flame.tsx';
import { type Frame, flameOf } from './flame.ts';
import type { Look } from './look.ts';
import type { Model } from './model.ts';

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
  const flame = useMemo(() => flameOf(model), [model]);
  const [focus, setFocus] = useState<Frame>(flame.root);
  const shining = useMemo(() => lit && new Set([...lit].map((i) => flame.of[i])), [lit, flame]);
  const operation = (frame: Frame) => model.outline.operations[frame.operation];
  const nameOf = (frame: Frame) =>
    frame.operation < 0 ? t('trace.whole') : operation(frame)?.name || t('trace.kind.missing');
  return (
    <Flame
      label={t('trace.flame')}
      root={flame.root}
      focus={focus}
      resting={flame.of[selected] ?? focus}
      look={(frame) => ({
        name: nameOf(frame),
        total: duration(frame.total),
        colour: services.get(operation(frame)?.service ?? '')?.colour ?? 'var(--mx-s8)',
        dark: shining !== undefined && !shining.has(frame),
        failed: frame.failed > 0,
        selected: flame.of[selected] === frame,
      })}
      told={(frame) => (
        <>
          <strong>{nameOf(frame)}</strong> <span className="soft">{operation(frame)?.service}</span>{' '}
          {t('trace.flame_told', {
            total: duration(frame.total),
            share: percent(frame.total / Math.max(1, flame.root.total)),
            self: duration(frame.self),
            spans: count(frame.spans || model.spans.length),
          })}
        </>
      )}
      onFocus={(frame) => {
        setFocus(frame);
        if (frame.longest >= 0) onSelect(frame.longest);
      }}
    />
  );
}
