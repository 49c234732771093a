import { Button, FileButton, Modal } from '@mantine/core';
import { IconLayoutDashboard, IconPlus, IconTrash, IconUpload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { createDashboard, dashboardsQuery, deleteDashboard, importDashboard } from '../../api/dashboards.ts';
import { Problem } from '../../api/problem.ts';
import type { Dashboard, ImportedDashboard } from '../../api/types.ts';
import { useCanWrite, useProject, useProjectId } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { NameForm } from '../../parts/NameForm.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';

/** The dashboards of a project. */
export function Dashboards() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const canWrite = useCanWrite();
  const navigate = useNavigate();
  const { data, error, isPending, refetch } = useQuery(dashboardsQuery(projectId));
  const [naming, setNaming] = useState(false);
  const [deleting, setDeleting] = useState<Dashboard>();
  const [imported, setImported] = useState<ImportedDashboard>();
  const refresh = ['dashboards', projectId];
  const params = (id: number) => ({ project: String(projectId), dashboard: String(id) });
  const open = (id: number) => void navigate({ to: '/projects/$project/dashboards/$dashboard', params: params(id) });
  const creation = useChange(
    (name: string) =>
      createDashboard(projectId, { format: 'matrix-dashboard', schema: 1, name, variables: [], panels: [] }),
    { refresh, onDone: ({ id }) => open(id) },
  );
  const removal = useChange((d: Dashboard) => deleteDashboard(projectId, d), {
    refresh,
    done: t('dashboards.deleted'),
    onDone: () => setDeleting(undefined),
  });
  const reading = useChange(
    async (file: File) => {
      let document: unknown;
      try {
        document = JSON.parse(await file.text());
      } catch (wrong) {
        throw new Problem(422, { detail: wrong instanceof Error ? wrong.message : '' });
      }
      return importDashboard(projectId, document);
    },
    {
      refresh,
      done: t('dashboards.imported'),
      onDone: (made) => (made.left.length > 0 ? setImported(made) : open(made.dashboard.id)),
    },
  );
  useTitle(t('nav.dashboards'), project?.name);

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.dashboards')}</h1>
        {canWrite && (
          <>
            <FileButton accept="application/json" onChange={(file) => file && reading.mutate(file)}>
              {(props) => (
                <Button {...props} variant="default" leftSection={<IconUpload size={15} />} loading={reading.isPending}>
                  {t('dashboards.import')}
                </Button>
              )}
            </FileButton>
            <Button leftSection={<IconPlus size={15} />} onClick={() => setNaming(true)}>
              {t('dashboards.add')}
            </Button>
          </>
        )}
      </div>
      <section className="panel" aria-busy={isPending}>
        {error && !data ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : data?.length === 0 ? (
          <Empty icon={IconLayoutDashboard} title={t('dashboards.none')}>
            <p>{t('dashboards.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('dashboards.column.name')}</th>
                <th className="num">{t('dashboards.column.panels')}</th>
                <th>{t('dashboards.column.changed')}</th>
                <th aria-label={t('dashboards.column.actions')} />
              </tr>
            </thead>
            <tbody onKeyDown={rowKeys}>
              {isPending && <SkeletonRows rows={3} columns={4} />}
              {data?.map((d) => (
                <tr key={d.id}>
                  <td>
                    <Link to="/projects/$project/dashboards/$dashboard" params={params(d.id)}>
                      {d.document.name}
                    </Link>
                    <div className="dim">{d.document.description}</div>
                  </td>
                  <td className="num">{d.document.panels.length}</td>
                  <td className="nowrap">
                    <When at={d.updated_at} /> <span className="dim">{d.updated_by}</span>
                  </td>
                  <td>
                    <div className="row-actions">
                      {canWrite && (
                        <RowAction
                          icon={IconTrash}
                          label={t('action.delete')}
                          of={d.document.name}
                          onClick={() => setDeleting(d)}
                        />
                      )}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </section>
      {naming && (
        <NameForm
          title={t('dashboards.add')}
          busy={creation.isPending}
          onSubmit={(name) => creation.mutate(name)}
          onClose={() => setNaming(false)}
        />
      )}
      <Confirm
        opened={deleting !== undefined}
        title={t('dashboards.delete_title', { name: deleting?.document.name })}
        verb={t('action.delete')}
        danger
        busy={removal.isPending}
        onConfirm={() => deleting && removal.mutate(deleting)}
        onClose={() => setDeleting(undefined)}
      >
        {t('dashboards.delete_hint')}
      </Confirm>
      {imported && (
        <Modal
          opened
          size="lg"
          onClose={() => setImported(undefined)}
          title={<strong>{t('dashboards.left_title', { name: imported.dashboard.document.name })}</strong>}
          closeButtonProps={{ 'aria-label': t('action.close') }}
        >
          <p className="soft">{t('dashboards.left_hint')}</p>
          <table className="table">
            <tbody>
              {imported.left.map((left) => (
                <tr key={JSON.stringify(left)}>
                  <td className="nowrap">{t(`dashboards.what.${left.what}`)}</td>
                  <td>{left.name}</td>
                  <td>
                    {t(`dashboards.left.${left.reason}`)} {left.detail && <code>{left.detail}</code>}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          <Button mt={14} onClick={() => open(imported.dashboard.id)}>
            {t('dashboards.open')}
          </Button>
        </Modal>
      )}
    </div>
  );
}
