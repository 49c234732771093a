import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import type { IssueStats, Share } from '../../api/types.ts';
import { count, percent } from '../../format/number.ts';
import { short } from '../../format/time.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useNow } from '../../parts/useNow.ts';
import classes from './Issue.module.css';

/** When it happened, in which versions, and whom and what it meets. */
export function Affected({ stats }: { stats: UseQueryResult<IssueStats> }) {
  const { t } = useTranslation();
  const { data } = stats;
  if (!data) {
    return (
      <aside className={classes.side} aria-busy={!stats.error}>
        {stats.error ? <Failure error={stats.error} retry={() => void stats.refetch()} /> : <Skeleton height={300} />}
      </aside>
    );
  }
  return (
    <aside className={classes.side} aria-label={t('issue.affected')}>
      <Stale query={stats} />
      <Histogram stats={data} />
      {(['services', 'versions', 'endpoints', 'environments', 'instances'] as const).map((kind) => (
        <Shares
          key={kind}
          title={t(`issue.share.${kind}`)}
          total={data.count}
          shares={
            kind === 'versions'
              ? data.versions.map((v, i) => ({ value: v.version, count: v.count, tone: i }))
              : data[kind]
          }
        />
      ))}
    </aside>
  );
}

const TONES = 8;
const tone = (i: number) => `var(--mx-s${(i % TONES) + 1})`;
const WIDTH = 300;
const HEIGHT = 84;

/** Occurrences over time, one colour for each version. */
function Histogram({ stats }: { stats: IssueStats }) {
  const { t } = useTranslation();
  const now = useNow();
  const bars = stats.versions[0]?.bars.length ?? 0;
  const sums = Array.from({ length: bars }, (_, i) => stats.versions.reduce((sum, v) => sum + (v.bars[i] ?? 0), 0));
  const most = Math.max(1, ...sums);
  const from = Date.parse(stats.from);
  const end = from + Math.max(bars, 1) * stats.step_seconds * 1000;
  return (
    <figure className={classes.histogram}>
      <figcaption>{t('issue.over_time', { most: count(most) })}</figcaption>
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={t('issue.histogram', { n: count(stats.count), most: count(most) })}
      >
        <line x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} />
        {sums.map((sum, i) => {
          let y = HEIGHT;
          const at = new Date(from + i * stats.step_seconds * 1000);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a bar is its place
            <g key={i}>
              <title>{`${short(at, now)} · ${count(sum)}`}</title>
              {stats.versions.map((v, k) => {
                const tall = ((v.bars[i] ?? 0) / most) * (HEIGHT - 2);
                y -= tall;
                return (
                  tall > 0 && (
                    <rect
                      key={v.version}
                      x={(i * WIDTH) / bars}
                      width={Math.max(1, WIDTH / bars - 1)}
                      y={y}
                      height={tall}
                      style={{ fill: tone(k) }}
                    />
                  )
                );
              })}
            </g>
          );
        })}
      </svg>
      <div className={classes.axis}>
        <span>{short(from, now)}</span>
        <span>{short(end, now)}</span>
      </div>
    </figure>
  );
}

function Shares({ title, shares, total }: { title: string; shares: (Share & { tone?: number })[]; total: number }) {
  const { t } = useTranslation();
  if (shares.length === 0) return null;
  return (
    <section className={classes.shares}>
      <h3>{title}</h3>
      <ul>
        {shares.slice(0, 6).map((s) => (
          <li key={s.value}>
            <span className="clip">
              {s.tone !== undefined && <i style={{ background: tone(s.tone) }} aria-hidden />}
              {s.value === '*' ? t('issue.others') : s.value || t('issue.unnamed')}
            </span>
            <span className="dim nowrap">{`${count(s.count)} · ${percent(Math.min(1, s.count / Math.max(total, 1)))}`}</span>
          </li>
        ))}
      </ul>
      {shares.length > 6 && <p className="dim">{t('issue.more', { n: shares.length - 6 })}</p>}
    </section>
  );
}
