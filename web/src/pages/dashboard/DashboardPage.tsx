import { Button, Skeleton } from '@mantine/core';
import {
  IconArrowBackUp,
  IconChevronRight,
  IconDownload,
  IconHistory,
  IconPencil,
  IconPlus,
  IconSettings,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useBlocker, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { dashboardQuery, updateDashboard } from '../../api/dashboards.ts';
import type { Dashboard, DashboardDocument, DashboardPanel } from '../../api/types.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useCanWrite, useProjectId } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import head from '../../parts/ObjectHead.module.css';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { AboutForm } from './AboutForm.tsx';
import { History } from './History.tsx';
import { PanelForm } from './PanelForm.tsx';
import { Panels } from './Panels.tsx';
import { useVariables, VariableBar } from './VariableBar.tsx';
import { readChosen, writeChosen } from './variables.ts';

const ROUTE = '/home/projects/$project/dashboards/$dashboard';

/** One dashboard: looked at, or arranged. */
export function DashboardPage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const id = Number(useParams({ from: ROUTE }).dashboard);
  const { data, error, refetch } = useQuery({ ...dashboardQuery(project, id), refetchOnWindowFocus: false });
  useTitle(data?.document.name ?? '', t('nav.dashboards'));
  return (
    <div className="page">
      {error && !data ? (
        <Failure error={error} retry={() => void refetch()} />
      ) : data ? (
        <Board key={id} project={project} dashboard={data} />
      ) : (
        <Skeleton height={420} />
      )}
    </div>
  );
}

function Board({ project, dashboard }: { project: number; dashboard: Dashboard }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const canWrite = useCanWrite();
  const { vars = '', tab, version: _, ...range } = useSearch({ from: ROUTE });
  // What was changed and is not saved, step by step; undefined while it is only looked at.
  const [drafts, setDrafts] = useState<DashboardDocument[]>();
  const [form, setForm] = useState<DashboardPanel | 'about'>();
  const shown = drafts?.at(-1) ?? dashboard.document;
  const dirty = (drafts?.length ?? 0) > 0;
  const following = { range, pausedAt: usePausedAt() };
  const { known, chosen, pending } = useVariables(project, shown.variables, readChosen(vars), following);
  const leave = useBlocker({
    shouldBlockFn: ({ current, next }) => dirty && current.pathname !== next.pathname,
    enableBeforeUnload: dirty,
    withResolver: true,
  });
  const save = useChange((document: DashboardDocument) => updateDashboard(project, dashboard, document), {
    refresh: ['dashboards', project],
    done: t('dashboard.saved'),
    onDone: () => setDrafts(undefined),
  });
  const change = (document: DashboardDocument) => {
    setDrafts((old) => [...(old ?? []), document]);
    setForm(undefined);
  };
  const setPanels = (panels: DashboardPanel[]) => change({ ...shown, panels });
  const put = (panel: DashboardPanel) =>
    setPanels(
      shown.panels.some((p) => p.id === panel.id)
        ? shown.panels.map((p) => (p.id === panel.id ? panel : p))
        : [...shown.panels, panel],
    );
  const add = () => {
    const taken = new Set(shown.panels.map((p) => p.id));
    let n = shown.panels.length + 1;
    while (taken.has(`p${n}`)) n++;
    setForm({ id: `p${n}`, kind: 'metric', width: 6, height: 2 });
  };

  return (
    <>
      <header className={head.head}>
        <div className={head.crumbs}>
          <Link to="/projects/$project/dashboards" params={{ project: String(project) }}>
            {t('nav.dashboards')}
          </Link>
          <IconChevronRight size={14} aria-hidden />
          <span>{shown.name}</span>
        </div>
        <div className="page-head">
          <h1>{shown.name}</h1>
          {tab !== 'history' && (
            <VariableBar
              known={known}
              chosen={chosen}
              onChange={(next) =>
                void navigate({ to: '.', search: (old) => ({ ...old, vars: writeChosen(next) }), replace: true })
              }
            />
          )}
          {drafts ? (
            <>
              <Button variant="default" leftSection={<IconPlus size={15} />} onClick={add}>
                {t('dashboard.add_panel')}
              </Button>
              <Button variant="default" leftSection={<IconSettings size={15} />} onClick={() => setForm('about')}>
                {t('dashboard.about')}
              </Button>
              <Button
                variant="default"
                leftSection={<IconArrowBackUp size={15} />}
                disabled={!dirty}
                onClick={() => setDrafts(drafts.slice(0, -1))}
              >
                {t('dashboard.undo')}
              </Button>
              <Button variant="default" onClick={() => setDrafts(undefined)}>
                {t('action.cancel')}
              </Button>
              <Button disabled={!dirty} loading={save.isPending} onClick={() => save.mutate(shown)}>
                {t('action.save')}
              </Button>
            </>
          ) : (
            <>
              <Button variant="default" leftSection={<IconDownload size={15} />} onClick={() => download(shown)}>
                {t('dashboard.export')}
              </Button>
              <Button
                variant={tab === 'history' ? 'light' : 'default'}
                aria-pressed={tab === 'history'}
                leftSection={<IconHistory size={15} />}
                onClick={() =>
                  void navigate({
                    to: '.',
                    search: (old) => ({ ...old, tab: tab ? undefined : 'history', version: undefined }),
                  })
                }
              >
                {t('dashboard.history')}
              </Button>
              {canWrite && tab !== 'history' && (
                <Button variant="default" leftSection={<IconPencil size={15} />} onClick={() => setDrafts([])}>
                  {t('action.edit')}
                </Button>
              )}
            </>
          )}
        </div>
        {shown.description && <p className="lead">{shown.description}</p>}
      </header>
      {tab === 'history' ? (
        <History project={project} dashboard={dashboard} />
      ) : shown.panels.length === 0 ? (
        <section className="panel">
          <Empty icon={IconPlus} title={t('dashboard.empty')}>
            <p>{t('dashboard.empty_hint')}</p>
          </Empty>
        </section>
      ) : (
        <Panels
          project={project}
          panels={shown.panels}
          chosen={chosen}
          pending={pending}
          following={following}
          edit={drafts && { onPanels: setPanels, onEdit: setForm }}
        />
      )}
      {form === 'about' && <AboutForm document={shown} onDone={change} onClose={() => setForm(undefined)} />}
      {form && form !== 'about' && (
        <PanelForm project={project} panel={form} onDone={put} onClose={() => setForm(undefined)} />
      )}
      <Confirm
        opened={leave.status === 'blocked'}
        title={t('dashboard.leave')}
        verb={t('dashboard.leave_verb')}
        danger
        onConfirm={() => leave.proceed?.()}
        onClose={() => leave.reset?.()}
      >
        {t('dashboard.leave_hint')}
      </Confirm>
    </>
  );
}

/** Gives the document as a file, as import takes it. */
function download(shown: DashboardDocument) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([JSON.stringify(shown, null, 2)], { type: 'application/json' }));
  link.download = `${shown.name}.json`;
  link.click();
  URL.revokeObjectURL(link.href);
}
