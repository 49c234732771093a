import { Button, Skeleton } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { dashboardHistoryQuery, updateDashboard } from '../../api/dashboards.ts';
import type { Dashboard, DashboardEdition } from '../../api/types.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { toastDone } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import { Versions } from '../../parts/Versions.tsx';

/** What a dashboard was: who changed it, when and how, and the way back. */
export function History({ project, dashboard }: { project: number; dashboard: Dashboard }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const canWrite = useCanWrite();
  const { version } = useSearch({ from: '/home/projects/$project/dashboards/$dashboard' });
  const { data: editions, error, refetch } = useQuery(dashboardHistoryQuery(project, dashboard.id));
  const link = (of: number) =>
    ({
      to: '/projects/$project/dashboards/$dashboard',
      params: { project: String(project), dashboard: String(dashboard.id) },
      search: { tab: 'history', version: of },
    }) as const;
  const restore = useChange((old: DashboardEdition) => updateDashboard(project, dashboard, old.document), {
    refresh: ['dashboards', project],
    onDone: (saved: Dashboard, old) => {
      toastDone(t('dashboard.restored', { from: old.version, version: saved.version }));
      void navigate({ ...link(saved.version), replace: true });
    },
  });
  if (error && !editions) return <Failure error={error} retry={() => void refetch()} />;
  if (!editions) return <Skeleton height={320} aria-busy />;
  return (
    <Versions
      versions={editions.map((e) => ({
        version: e.version,
        at: e.at,
        by: e.author,
        deleted: e.action === 'deleted',
        marks: e.version === dashboard.version ? [t('versions.current')] : [],
        parts: [{ text: JSON.stringify(e.document, null, 2) }],
      }))}
      chosen={version}
      link={link}
      actions={(of) => {
        const old = editions.find((e) => e.version === of);
        if (!canWrite || !old || of === dashboard.version) return null;
        return (
          <Button
            variant="default"
            leftSection={<IconHistory size={15} />}
            loading={restore.isPending}
            onClick={() => restore.mutate(old)}
          >
            {t('versions.restore')}
          </Button>
        );
      }}
    />
  );
}
