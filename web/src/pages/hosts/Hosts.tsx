import { IconSearch, IconServer } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { hostsQuery } from '../../api/hosts.ts';
import type { Host } from '../../api/types.ts';
import { bytes, count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Sparkline } from '../../parts/chart/Sparkline.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { Health } from '../../parts/Health.tsx';
import { HostReason } from '../../parts/HostReason.tsx';
import { Block } from '../../parts/Mono.tsx';
import { SortHead } from '../../parts/SortHead.tsx';
import { TopTable } from '../../parts/TopTable.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import classes from './Hosts.module.css';
import { ShareCell } from './ShareCell.tsx';

/** The receiver of an OpenTelemetry Collector that fills this page. */
const COLLECTOR = `receivers:
  hostmetrics:
    scrapers: {cpu: {}, load: {}, memory: {}, filesystem: {}, disk: {}, network: {}, processes: {}}
processors:
  resourcedetection: {detectors: [env, system]}`;

/** The machines below the services, the worst first. */
export function Hosts() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const { sort = 'worst', q, ...range } = useSearch({ from: '/home/projects/$project/hosts' });
  const list = useQuery(hostsQuery(projectId, { sort, q }, { range, pausedAt: usePausedAt() }));
  const set = (next: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true });
  const head = { current: sort, onSort: (by: string) => set({ sort: by === 'worst' ? undefined : by }) };
  useTitle(t('nav.hosts'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.hosts')}</h1>
        <Filter label={t('hosts.filter')} value={q ?? ''} onChange={(v) => set({ q: v || undefined })} />
      </div>
      <TopTable
        list={list}
        rows={6}
        columns={11}
        empty={
          q ? (
            <Empty icon={IconSearch} title={t('hosts.no_match')}>
              <p>{t('services.no_match_hint')}</p>
            </Empty>
          ) : (
            <Empty icon={IconServer} title={t('hosts.none')}>
              <p>{t('hosts.none_hint')}</p>
              <Block text={COLLECTOR} what={t('hosts.collector')} />
            </Empty>
          )
        }
        head={
          <>
            <SortHead by="worst" {...head}>
              {t('services.column.health')}
            </SortHead>
            <SortHead by="name" ascending {...head}>
              {t('hosts.host')}
            </SortHead>
            <SortHead by="cpu" num {...head}>
              {t('hosts.cpu')}
            </SortHead>
            <SortHead by="memory" num {...head}>
              {t('hosts.memory')}
            </SortHead>
            <SortHead by="disk" num {...head}>
              {t('hosts.disk')}
            </SortHead>
            <SortHead by="network" num {...head}>
              {t('hosts.network')}
            </SortHead>
            <SortHead by="load" num {...head}>
              {t('hosts.load')}
            </SortHead>
            <th aria-label={t('hosts.load_shape')} />
            <th className="num">{t('hosts.processes')}</th>
            <th>{t('hosts.services')}</th>
            <th>{t('hosts.last_seen')}</th>
          </>
        }
        row={(item) => <Row key={item.host} item={item} project={projectId} />}
      />
    </div>
  );
}

function Row({ item, project }: { item: Host; project: number }) {
  const { t } = useTranslation();
  const perSecond = (n: number | null) => (n === null ? '–' : `${bytes(n)}/s`);
  return (
    <tr className="link">
      <td>
        <Health state={item.health.state} />
      </td>
      <td>
        <Link
          className="row-link nowrap"
          to="/projects/$project/hosts/$host"
          params={{ project: String(project), host: item.host }}
        >
          {item.host}
        </Link>
        <div className={classes.second} data-state={item.health.state}>
          <HostReason of={item} />
        </div>
      </td>
      <ShareCell
        host={item}
        of="cpu"
        note={item.cores === null ? undefined : t('hosts.cores', { count: item.cores })}
      />
      <ShareCell
        host={item}
        of="memory"
        note={item.memory_bytes === null ? undefined : t('hosts.of', { total: bytes(item.memory_bytes) })}
      />
      <ShareCell host={item} of="disk" note={item.disk_mount} />
      <td className="num">
        <div>{t('hosts.in', { rate: perSecond(item.receive_bytes_per_second) })}</div>
        <div>{t('hosts.out', { rate: perSecond(item.transmit_bytes_per_second) })}</div>
      </td>
      <td className="num">{item.load === null ? '–' : item.load.toFixed(2)}</td>
      <td className={classes.shape}>
        <Sparkline values={item.spark.load} />
      </td>
      <td className="num">{item.processes === null ? '–' : count(item.processes)}</td>
      <td>
        <div className={classes.second}>{item.services.map((s) => s.service).join(' · ') || '–'}</div>
      </td>
      <td>
        <When at={item.last_seen} />
      </td>
    </tr>
  );
}
