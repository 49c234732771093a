import { ActionIcon, Button, Popover } from '@mantine/core';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../api/session.ts';
import { deleteView, saveView, viewsQuery } from '../../api/views.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { NameForm } from '../../parts/NameForm.tsx';
import { useChange } from '../../parts/useChange.ts';
import classes from './Views.module.css';

const KIND = 'transactions';

/** The project's saved searches: run one, save the present one, delete one's own. */
export function Views({
  project,
  query,
  onChoose,
}: {
  project: number;
  query: string;
  onChoose: (query: string) => void;
}) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [naming, setNaming] = useState(false);
  const all = viewsQuery(project, KIND);
  const views = useQuery({ ...all, enabled: opened });
  const { data: me } = useSuspenseQuery(meQuery);
  const mayAll = useCanWrite();
  const save = useChange((name: string) => saveView(project, KIND, name, query), {
    refresh: all.queryKey,
    done: t('scatter.view_saved'),
    onDone: () => setNaming(false),
  });
  const erase = useChange((id: number) => deleteView(project, id), {
    refresh: all.queryKey,
    done: t('scatter.view_deleted'),
  });
  return (
    <>
      <Popover opened={opened} onChange={setOpened} position="bottom-end" width={380} trapFocus shadow="md">
        <Popover.Target>
          <Button variant="default" leftSection={<IconBookmark size={15} />} onClick={() => setOpened(!opened)}>
            {t('scatter.views')}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p={6}>
          {views.isError ? (
            <Failure error={views.error} retry={() => void views.refetch()} />
          ) : (
            <ul className={classes.list} aria-label={t('scatter.views')}>
              {views.data?.length === 0 && <li className={classes.none}>{t('scatter.no_views')}</li>}
              {views.data?.map((view) => (
                <li key={view.id}>
                  <button
                    type="button"
                    className={classes.view}
                    onClick={() => {
                      setOpened(false);
                      onChoose(view.query);
                    }}
                  >
                    <strong>{view.name}</strong> <span className="dim">{view.owner}</span>
                    <code className="clip">{view.query}</code>
                  </button>
                  {(mayAll || view.owner_id === me.user.id) && (
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      aria-label={t('scatter.delete_view', { name: view.name })}
                      onClick={() => erase.mutate(view.id)}
                    >
                      <IconTrash size={15} />
                    </ActionIcon>
                  )}
                </li>
              ))}
            </ul>
          )}
          <Button
            fullWidth
            variant="light"
            disabled={!query}
            onClick={() => {
              setOpened(false);
              setNaming(true);
            }}
          >
            {t('scatter.save_view')}
          </Button>
        </Popover.Dropdown>
      </Popover>
      {naming && (
        <NameForm
          title={t('scatter.save_view')}
          busy={save.isPending}
          onSubmit={(name) => save.mutate(name)}
          onClose={() => setNaming(false)}
        />
      )}
    </>
  );
}
