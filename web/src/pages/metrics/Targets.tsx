import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconRadar,
  IconSearch,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Trans, useTranslation } from 'react-i18next';
import { scrapeQuery } from '../../api/scrape.ts';
import type { ScrapeStatus, ScrapeTarget, Top } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Filter, holds } from '../../parts/Filter.tsx';
import { Block } from '../../parts/Mono.tsx';
import badges from '../../parts/State.module.css';
import { TopTable } from '../../parts/TopTable.tsx';
import { When } from '../../parts/When.tsx';
import classes from './Targets.module.css';

/** Targets listed at once. */
const LISTED = 500;

interface Props {
  project: number;
  filter: string;
  onFilter: (text: string) => void;
}

/** What is scraped for the project, and what became of each target: those that are down first. */
export function Targets({ project, filter, onFilter }: Props) {
  const { t } = useTranslation();
  const { data: status } = useQuery(scrapeQuery(project));
  const list = useQuery({ ...scrapeQuery(project), select: (s) => found(s, filter) });
  return (
    <>
      <p className="lead">{t('targets.lead')}</p>
      {status?.configured && (
        <>
          <Who status={status} />
          <div className={classes.filter}>
            <Filter width={280} label={t('targets.filter')} value={filter} onChange={onFilter} />
          </div>
        </>
      )}
      <TopTable
        list={list}
        columns={5}
        empty={
          filter && status?.targets.length ? (
            <Empty icon={IconSearch} title={t('targets.no_match', { q: filter })} />
          ) : status?.configured ? (
            <Empty icon={IconRadar} title={t('targets.no_targets')}>
              <p>{t('targets.no_targets_hint')}</p>
            </Empty>
          ) : (
            <HowTo />
          )
        }
        head={
          <>
            <th>{t('targets.column.state')}</th>
            <th>{t('targets.column.target')}</th>
            <th>{t('targets.column.job')}</th>
            <th>{t('targets.column.last')}</th>
            <th className="num">{t('targets.column.took')}</th>
          </>
        }
        row={(target) => (
          <Row key={`${target.job} ${target.url} ${target.labels.instance}`} target={target} project={project} />
        )}
      />
      {status && <DroppedTargets status={status} />}
    </>
  );
}

const RANK = { down: 0, unknown: 2, up: 3 } as const;
/** A target that is up and of which samples are missing comes between. */
const rank = ({ health, error }: ScrapeTarget) => (health === 'up' && error ? 1 : RANK[health]);

function found({ targets }: ScrapeStatus, filter: string): Top<ScrapeTarget> {
  const all = targets
    .filter(({ job, url, labels, error = '' }) => holds(filter, job, url, error, ...Object.values(labels)))
    .sort((a, b) => rank(a) - rank(b));
  return { items: all.slice(0, LISTED), total: all.length };
}

/** Which node scrapes, by which file, and whether it can. */
function Who({ status }: { status: ScrapeStatus }) {
  const { t } = useTranslation();
  const down = status.targets.filter(({ health }) => health === 'down').length;
  return (
    <>
      {!status.scraping && (
        <p className="note" role="status">
          <IconAlertTriangleFilled size={14} aria-hidden />
          {t('targets.nobody')}
        </p>
      )}
      {status.problem && (
        <p className="note" role="status">
          <IconAlertTriangleFilled size={14} aria-hidden />
          <span>
            {t('targets.problem')} <code>{status.problem}</code>
          </span>
        </p>
      )}
      <p className={classes.who}>
        <strong>{t('targets.total', { total: count(status.targets.length), down: count(down) })}</strong>{' '}
        <span className="dim">
          {status.node && (
            <Trans
              t={t}
              i18nKey="targets.by"
              values={{ host: status.host, node: status.node }}
              components={{ code: <code /> }}
            />
          )}{' '}
          <Trans t={t} i18nKey="targets.file" values={{ file: status.file }} components={{ code: <code /> }} />{' '}
          {status.at && (
            <>
              {t('targets.as_of')} <When at={status.at} />
            </>
          )}
        </span>
      </p>
    </>
  );
}

function Row({ target, project }: { target: ScrapeTarget; project: number }) {
  const { t } = useTranslation();
  const { job, instance } = target.labels;
  const others = Object.entries(target.labels).filter(([name]) => name !== 'job');
  return (
    <tr className="link">
      <td>
        <TargetState target={target} />
      </td>
      <td>
        <Link
          className={`row-link ${classes.url}`}
          to="/projects/$project/metrics"
          params={{ project: String(project) }}
          search={(old) => ({
            ...old,
            tab: undefined,
            filter: undefined,
            a: `up{job=${JSON.stringify(job)}, instance=${JSON.stringify(instance)}}`,
          })}
        >
          {target.url}
        </Link>
        <div className={classes.labels}>
          {others.map(([name, value]) => (
            <code key={name}>{`${name}=${JSON.stringify(value)}`}</code>
          ))}
        </div>
        {target.error && (
          <div className={classes.error} data-health={target.health}>
            {target.error}
          </div>
        )}
      </td>
      <td>{target.job}</td>
      <td>
        {target.scraped_at ? <When at={target.scraped_at} /> : '–'}
        <div className="dim">{t('targets.every', { interval: target.interval })}</div>
      </td>
      <td className="num">{target.scraped_at ? duration(target.duration_seconds * 1e9) : '–'}</td>
    </tr>
  );
}

const LOOKS = {
  down: { Icon: IconAlertTriangleFilled, tone: 'critical' },
  partly: { Icon: IconAlertTriangleFilled, tone: 'warning' },
  unknown: { Icon: IconCircleDashed, tone: 'none' },
  up: { Icon: IconCircleCheckFilled, tone: 'ok' },
} as const;

function TargetState({ target }: { target: ScrapeTarget }) {
  const { t } = useTranslation();
  const state = target.health === 'up' && target.error ? 'partly' : target.health;
  const { Icon, tone } = LOOKS[state];
  return (
    <span className={badges.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {t(`targets.state.${state}`)}
    </span>
  );
}

/** What relabelling drops: where to look when a target is missing. */
function DroppedTargets({ status }: { status: ScrapeStatus }) {
  const { t } = useTranslation();
  const total = Object.values(status.dropped_counts).reduce((sum, n) => sum + n, 0);
  if (total === 0) return null;
  return (
    <details className={`panel ${classes.dropped}`}>
      <summary>{t('targets.dropped', { total: count(total) })}</summary>
      <ul>
        {status.dropped.map(({ job, discovered_labels: labels }, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two dropped targets may be alike
          <li key={i}>
            {job} <code>{labels.__address__}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}

const MATRIX_YAML = `scrape:
  - key: \${SHOP_KEY}
    file: /etc/matrix/prometheus.yml`;

const PROMETHEUS_YML = `scrape_configs:
  - job_name: node
    static_configs:
      - targets: [10.0.0.1:9100, 10.0.0.2:9100]`;

/** How an operator makes MATRIX scrape. */
function HowTo() {
  const { t } = useTranslation();
  return (
    <Empty icon={IconRadar} title={t('targets.none')}>
      <p>
        <Trans t={t} i18nKey="targets.none_hint" components={{ file: <code /> }} />
      </p>
      <Block text={MATRIX_YAML} what="matrix.yaml" />
      <p>
        <Trans t={t} i18nKey="targets.none_file" components={{ file: <code /> }} />
      </p>
      <Block text={PROMETHEUS_YML} what="prometheus.yml" />
    </Empty>
  );
}
