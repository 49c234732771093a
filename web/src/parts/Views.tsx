import { ActionIcon, Button, Popover } from '@mantine/core';
import { IconBookmark, IconTrash } from '@tabler/icons-react';
import { useQuery, useSuspenseQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../api/session.ts';
import { deleteView, saveView, type ViewKind, viewsQuery } from '../api/views.ts';
import { useCanWrite } from '../frame/useProject.ts';
import { Failure } from './Failure.tsx';
import { NameForm } from './NameForm.tsx';
import { useChange } from './useChange.ts';
import classes from './Views.module.css';

interface Props {
  project: number;
  /** The screen whose searches they are. */
  kind: ViewKind;
  /** The present one. */
  query: string;
  onChoose: (query: string) => void;
}

/** The project's saved searches: run one, save the present one, delete one's own. */
export function Views({ project, kind, query, onChoose }: Props) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState(false);
  const [naming, setNaming] = useState(false);
  const all = viewsQuery(project, kind);
  const views = useQuery({ ...all, enabled: opened });
  const { data: me } = useSuspenseQuery(meQuery);
  const mayAll = useCanWrite();
  const save = useChange((name: string) => saveView(project, kind, name, query), {
    refresh: all.queryKey,
    done: t('views.saved'),
    onDone: () => setNaming(false),
  });
  const erase = useChange((id: number) => deleteView(project, id), {
    refresh: all.queryKey,
    done: t('views.deleted'),
  });
  return (
    <>
      <Popover opened={opened} onChange={setOpened} position="bottom-end" width={380} trapFocus shadow="md">
        <Popover.Target>
          <Button variant="default" leftSection={<IconBookmark size={15} />} onClick={() => setOpened(!opened)}>
            {t('views.all')}
          </Button>
        </Popover.Target>
        <Popover.Dropdown p={6}>
          {views.isError ? (
            <Failure error={views.error} retry={() => void views.refetch()} />
          ) : (
            <ul className={classes.list} aria-label={t('views.all')}>
              {views.data?.length === 0 && <li className={classes.none}>{t('views.none')}</li>}
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
                      aria-label={t('views.delete', { name: view.name })}
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
            {t('views.save')}
          </Button>
        </Popover.Dropdown>
      </Popover>
      {naming && (
        <NameForm
          title={t('views.save')}
          busy={save.isPending}
          onSubmit={(name) => save.mutate(name)}
          onClose={() => setNaming(false)}
        />
      )}
    </>
  );
}
