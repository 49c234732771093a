import { SegmentedControl, Select, useComputedColorScheme } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Ends, heatQuery, type Rectangle, samplingQuery, scatterQuery } from '../../api/scatter.ts';
import type { TransactionFilter } from '../../api/traces.ts';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { DEFAULT_RANGE, RANGES, type RangeSearch } from '../../frame/range.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { edge } from './axis.ts';
import { HEIGHT, MARGIN, Plot } from './Plot.tsx';
import classes from './Scatter.module.css';
import { SelectForm } from './SelectForm.tsx';

/** Upper edges one can choose, in ms. */
const TOPS = [100, 500, 1_000, 3_000, 10_000, 30_000, 60_000, 300_000];

interface Props {
  project: number;
  filter: Omit<TransactionFilter, 'order'>;
  range: RangeSearch;
  log: boolean;
  heat: boolean;
  top?: number;
  selected?: Rectangle;
  set: (next: Record<string, string | number | boolean | undefined>) => void;
  onSelect: (rectangle: Rectangle | undefined) => void;
}

/** Every transaction as a dot: when it ended, and how long it took. */
export function ScatterPanel({ project, filter, range, log, heat, top, selected, set, onSelect }: Props) {
  const { t, i18n } = useTranslation();
  const scheme = useComputedColorScheme('light');
  const pausedAt = usePausedAt();
  const [width, setWidth] = useState(0);
  const onWidth = useCallback((next: number) => setWidth(next), []);
  const live = pausedAt === undefined && !range.from;
  const now = () => pausedAt ?? Date.now();
  const ends = endsOf(range);
  const asked = {
    project,
    filter,
    range: { ...range, pausedAt },
    ends,
    // A little wider or narrower is the same question.
    width: Math.ceil(width / 100) * 100,
    height: HEIGHT - MARGIN.top - MARGIN.bottom,
    top,
    log,
    live,
    now,
    enabled: width > 0,
  };
  const dots = useQuery({ ...scatterQuery(asked), enabled: asked.enabled && !heat });
  const cells = useQuery({ ...heatQuery(asked), enabled: asked.enabled && heat });
  const { data: sampling } = useQuery(samplingQuery(project, asked.range, ends, now));
  const query = heat ? cells : dots;
  const shown = heat ? cells.data?.heat : dots.data;
  const longest = (heat ? (cells.data?.heat.longest_ns ?? 0) : (dots.data?.longest ?? 0)) / 1e3;
  const window = heat && cells.data ? cells.data : ends(dots.data?.at ?? now());
  // The server's grid ends at the longest, so the heatmap's axis does too.
  const auto = heat ? longest || 1e6 : edge(dots.data?.elapsed ?? new Float64Array(), longest, log);
  const axes = { from: window.from, to: window.to, top: Math.max(top ? top * 1e3 : auto, 2_000), log };
  const total = shown?.total ?? 0;
  const drawn = dots.data?.ended.length ?? 0;
  return (
    <section
      className={`panel ${classes.panel}`}
      aria-label={t('scatter.title')}
      aria-busy={query.isPending && width > 0}
    >
      <Stale query={query} />
      <div className={classes.head}>
        <div className={classes.legend}>
          <span>
            <i className={classes.square} aria-hidden />
            {t('scatter.succeeded', { n: count(total - (shown?.errors ?? 0)) })}
          </span>
          <span>
            <IconX size={13} stroke={3} color="var(--mx-critical)" aria-hidden />
            {t('scatter.failed', { n: count(shown?.errors ?? 0) })}
          </span>
          {live && (
            <span>
              <i className={classes.live} aria-hidden />
              {t('scatter.live')}
            </span>
          )}
        </div>
        <SelectForm key={JSON.stringify(selected ?? null)} axes={axes} selected={selected} onSelect={onSelect} />
        <Select
          size="xs"
          w={124}
          aria-label={t('scatter.top')}
          allowDeselect={false}
          value={String(top ?? '')}
          onChange={(value) => set({ top: value ? Number(value) : undefined })}
          data={[
            { value: '', label: t('scatter.top_auto') },
            ...TOPS.map((ms) => ({
              value: String(ms),
              label: t('scatter.up_to', { time: duration(ms * 1e6, i18n.language) }),
            })),
          ]}
        />
        <SegmentedControl
          size="xs"
          aria-label={t('scatter.axis')}
          value={log ? 'log' : 'linear'}
          onChange={(value) => set({ axis: value === 'log' ? 'log' : undefined })}
          data={(['linear', 'log'] as const).map((value) => ({ value, label: t(`scatter.${value}`) }))}
        />
        <SegmentedControl
          size="xs"
          aria-label={t('scatter.mode')}
          value={heat ? 'heat' : 'dots'}
          onChange={(value) => set({ mode: value === 'heat' ? 'heat' : undefined })}
          data={(['dots', 'heat'] as const).map((value) => ({ value, label: t(`scatter.${value}`) }))}
        />
      </div>
      {!heat && dots.data && dots.data.cell > 0 && (
        <p className={classes.notice} role="status">
          {t('scatter.thinned', { shown: count(drawn), total: count(total), px: dots.data.cell })}
        </p>
      )}
      {sampling?.known && (
        <p className={classes.notice} role="status">
          {t('scatter.sampled', { share: percent(sampling.probability) })}
        </p>
      )}
      {query.isError && !query.data ? (
        <Failure error={query.error} retry={() => void query.refetch()} />
      ) : (
        <div style={{ position: 'relative' }}>
          <Plot
            axes={axes}
            dots={heat ? undefined : dots.data}
            heat={heat ? cells.data?.heat : undefined}
            scheme={scheme}
            selected={selected}
            label={t('scatter.picture', { total: count(total), failed: count(shown?.errors ?? 0) })}
            onSelect={onSelect}
            onWidth={onWidth}
          />
          {query.data && total === 0 && <div className={classes.empty}>{t('transactions.none')}</div>}
        </div>
      )}
    </section>
  );
}

/** The two ends of a range at a moment; a relative one ends exactly then. */
export const endsOf =
  (range: RangeSearch): Ends =>
  (now) =>
    range.from && range.to
      ? { from: Date.parse(range.from), to: Date.parse(range.to) }
      : { from: now - RANGES[range.range ?? DEFAULT_RANGE] * 60_000, to: now };
