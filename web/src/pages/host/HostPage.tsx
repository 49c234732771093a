import { Skeleton } from '@mantine/core';
import { IconChevronRight, IconServer } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { hostQuery } from '../../api/hosts.ts';
import type { HostOverview } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { bytes, count, percent, rate } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Chart, type Unit } from '../../parts/chart/Chart.tsx';
import { Charts } from '../../parts/chart/Charts.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Health } from '../../parts/Health.tsx';
import { HostReason } from '../../parts/HostReason.tsx';
import head from '../../parts/ObjectHead.module.css';
import { rowKeys } from '../../parts/rowKeys.ts';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import classes from './Host.module.css';

const ROUTE = '/home/projects/$project/hosts/$host';

const UNITS: Record<string, Unit> = {
  cpu: 'share',
  memory: 'bytes',
  disk: 'share',
  network: 'byte_rate',
  disk_io: 'byte_rate',
  load: 'count',
};

/** One machine: what it does over time, and what runs on it. */
export function HostPage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { host } = useParams({ from: ROUTE });
  const range = useSearch({ from: ROUTE });
  const overview = useQuery(hostQuery(project, host, { range, pausedAt: usePausedAt() }));
  const { data } = overview;
  useTitle(host, t('nav.hosts'));
  if (overview.isError && !data) {
    return (
      <div className="page">
        <Failure error={overview.error} retry={() => void overview.refetch()} />
      </div>
    );
  }
  return (
    <div className="page">
      <Stale query={overview} />
      <header className={head.head}>
        <div className={head.crumbs}>
          <Link to="/projects/$project/hosts" params={{ project: String(project) }}>
            {t('nav.hosts')}
          </Link>
          <IconChevronRight size={14} aria-hidden />
          <span>{host}</span>
        </div>
        <div className={head.titleRow}>
          <h1>{host}</h1>
          {data && (
            <span className="row">
              <Health state={data.health.state} />
              <span className="soft">
                <HostReason of={data} />
              </span>
            </span>
          )}
        </div>
        {data ? <Answers of={data} /> : <Skeleton height={74} />}
      </header>
      {data ? <Drawn of={data} /> : <Skeleton height={480} />}
      <section className={`panel ${classes.running}`} aria-busy={overview.isPending}>
        {data ? <OnIt of={data} project={project} /> : <Skeleton height={120} />}
      </section>
    </div>
  );
}

function Answers({ of }: { of: HostOverview }) {
  const { t } = useTranslation();
  const share = (v: number | null) => (v === null ? '–' : percent(v));
  const answers = [
    [t('hosts.cpu'), share(of.cpu), of.cores === null ? '' : t('hosts.cores', { count: of.cores })],
    [
      t('hosts.memory'),
      share(of.memory),
      of.memory_bytes === null ? '' : t('hosts.of', { total: bytes(of.memory_bytes) }),
    ],
    [t('hosts.disk'), share(of.disk), of.disk_mount],
    [t('hosts.load'), of.load === null ? '–' : of.load.toFixed(2), ''],
    [t('hosts.processes'), of.processes === null ? '–' : count(of.processes), ''],
  ];
  return (
    <dl className={head.answers}>
      {answers.map(([name, value, note]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <strong>{value}</strong> <span className="dim">{note}</span>
          </dd>
        </div>
      ))}
      <div>
        <dt>{t('hosts.last_seen')}</dt>
        <dd>
          <When at={of.last_seen} />
        </dd>
      </div>
    </dl>
  );
}

function Drawn({ of }: { of: HostOverview }) {
  const { t } = useTranslation();
  const { start, step, charts } = of;
  const drawn = useMemo(() => {
    const steps = Math.max(0, ...charts.flatMap((c) => c.lines.map((l) => l.values.length)));
    return {
      at: Array.from({ length: steps }, (_, i) => start + i * step),
      charts: charts
        .filter((c) => c.lines.length > 0)
        .map((c) => ({
          chart: c.chart,
          lines: c.lines.map((l, i) => ({
            label: t(`hosts.line.${l.line}`, { defaultValue: l.line }),
            values: l.values,
            tone: `s${(i % 8) + 1}`,
          })),
        })),
    };
  }, [start, step, charts, t]);
  return (
    <Charts>
      {drawn.charts.map((c) => (
        <Chart
          key={c.chart}
          title={t(`hosts.chart.${c.chart}`)}
          unit={UNITS[c.chart] ?? 'count'}
          at={drawn.at}
          lines={c.lines}
        />
      ))}
    </Charts>
  );
}

function OnIt({ of, project }: { of: HostOverview; project: number }) {
  const { t } = useTranslation();
  if (of.services.length === 0) {
    return (
      <Empty icon={IconServer} title={t('hosts.nothing')}>
        <p>{t('hosts.nothing_hint')}</p>
      </Empty>
    );
  }
  return (
    <table className="table">
      <caption className="offscreen">{t('hosts.services')}</caption>
      <thead>
        <tr>
          <th>{t('hosts.services')}</th>
          <th>{t('service.instances')}</th>
          <th className="num">{t('red.rate')}</th>
          <th className="num">{t('red.errors')}</th>
          <th className="num">{'p50'}</th>
          <th className="num">{'p95'}</th>
          <th className="num">{'p99'}</th>
        </tr>
      </thead>
      <tbody onKeyDown={rowKeys}>
        {of.services.map((s) => (
          <tr key={s.service} className="link">
            <td>
              <Link
                className="row-link"
                to="/projects/$project/services/$service"
                params={{ project: String(project), service: s.service }}
              >
                {s.service}
              </Link>
            </td>
            <td className="dim">{s.instances.join(', ')}</td>
            <td className="num">{rate(s.per_second)}</td>
            <td className="num">{percent(s.error_share)}</td>
            <td className="num">{duration(s.p50_ns)}</td>
            <td className="num">
              <strong>{duration(s.p95_ns)}</strong>
            </td>
            <td className="num">{duration(s.p99_ns)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
