import { Button, Select, Skeleton } from '@mantine/core';
import { IconDownload, IconReceipt } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../api/session.ts';
import type { UsageReport, Used } from '../../api/types.ts';
import {
  USAGE_DIMENSIONS,
  USAGE_MEASURES,
  type UsageFilter,
  type UsageMeasure,
  type UsageScope,
  usageQuery,
  usageTable,
} from '../../api/usage.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject } from '../../frame/useProject.ts';
import { Chart } from '../../parts/chart/Chart.tsx';
import { Charts } from '../../parts/chart/Charts.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { BillPanel } from './BillPanel.tsx';
import { Narrowed } from './Narrowed.tsx';
import classes from './Usage.module.css';
import { UsageCards } from './UsageCards.tsx';
import { UsageRows } from './UsageRows.tsx';
import { baseOf, filterOf, linesOf, scopesOf } from './usage.ts';

/** What was used of models and what it costs, of what the reader may see. */
export function UsagePage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const project = useProject();
  const { data: me } = useSuspenseQuery(meQuery);
  const search = useSearch({ from: '/home/usage' });
  const { of, by = 'model', show = 'cost', range, from, to } = search;
  const filter = filterOf(search);
  const scopes = scopesOf(me, project);
  const scope = scopes.find((each) => each === of) ?? scopes[0] ?? 'me';
  const base = baseOf(scope, project);
  const report = useQuery(usageQuery(base, by, filter, { range: { range, from, to }, pausedAt: usePausedAt() }));
  const set = (next: Record<string, string | undefined>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true });
  useTitle(t('nav.usage'));
  const names = { project: project?.name, org: project?.org_name, all: undefined, me: undefined };
  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.usage')}</h1>
        <Select
          aria-label={t('usage.of')}
          w={220}
          allowDeselect={false}
          data={scopes.map((each) => ({ value: each, label: t(`usage.scope.${each}`, { name: names[each] }) }))}
          value={scope}
          onChange={(next) => set({ of: next ?? undefined })}
        />
        <Select
          aria-label={t('usage.by_label')}
          w={140}
          allowDeselect={false}
          data={USAGE_DIMENSIONS.map((each) => ({ value: each, label: t(`usage.by.${each}`) }))}
          value={by}
          onChange={(next) => set({ by: next ?? undefined })}
        />
        {report.data && (
          <Button
            component="a"
            href={usageTable(base, report.data, filter)}
            download
            variant="default"
            leftSection={<IconDownload size={15} />}
          >
            {t('usage.csv')}
          </Button>
        )}
      </div>
      <p className="lead">{t('usage.lead')}</p>
      <Narrowed filter={filter} report={report.data} onChange={set} />
      <BillPanel base={base} filter={filter} />
      <Stale query={report} />
      {report.error && !report.data ? (
        <Failure error={report.error} retry={() => void report.refetch()} />
      ) : !report.data ? (
        <Skeleton height={320} aria-busy />
      ) : report.data.total.calls === 0 ? (
        <section className="panel">
          <Empty icon={IconReceipt} title={t('usage.none')}>
            <p>{t(Object.keys(filter).length > 0 ? 'usage.none_narrowed_hint' : 'usage.none_hint')}</p>
          </Empty>
        </section>
      ) : (
        <Shown
          report={report.data}
          scope={scope}
          filter={filter}
          busy={report.isPlaceholderData}
          show={show}
          onShow={(next) => set({ show: next })}
        />
      )}
    </div>
  );
}

interface ShownProps {
  report: UsageReport;
  scope: UsageScope;
  filter: UsageFilter;
  busy: boolean;
  show: UsageMeasure;
  onShow: (next: UsageMeasure) => void;
}

function Shown({ report, scope, filter, busy, show, onShow }: ShownProps) {
  const { t } = useTranslation();
  const lines = useMemo(() => {
    const names = new Map(report.rows.map((row) => [row.key, row.name]));
    const label = (key: string) => names.get(key) || (key && key !== '0' ? key : t('usage.nobody'));
    return linesOf(report, show, label, t('usage.others'));
  }, [report, show, t]);
  const title = t(`usage.show.${show}`);
  return (
    <>
      <UsageCards now={report.total} before={report.before as Used | null} />
      <div className="page-head">
        <h2>{t('usage.over_time')}</h2>
        <Select
          aria-label={t('usage.show_label')}
          w={140}
          allowDeselect={false}
          data={USAGE_MEASURES.map((each) => ({ value: each, label: t(`usage.show.${each}`) }))}
          value={show}
          onChange={(next) => next && onShow(next as UsageMeasure)}
        />
      </div>
      <div className={classes.chart}>
        <Charts>
          <Chart title={title} unit={show === 'cost' ? 'number' : 'count'} at={report.at} lines={lines} />
        </Charts>
      </div>
      <UsageRows report={report} scope={scope} filter={filter} busy={busy} />
    </>
  );
}
