import { useSortable } from '@dnd-kit/sortable';
import { ActionIcon, Skeleton, Tooltip } from '@mantine/core';
import { IconGripVertical, IconPencil, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Following } from '../../api/pages.ts';
import type { DashboardPanel } from '../../api/types.ts';
import { RowAction } from '../../parts/RowAction.tsx';
import classes from './Dashboard.module.css';
import { HEIGHTS, PanelView } from './PanelView.tsx';
import { Resize, type Size } from './Resize.tsx';
import type { Chosen } from './variables.ts';

interface Props {
  project: number;
  panel: DashboardPanel;
  /** What it is called, which is not empty. */
  title: string;
  chosen: Chosen;
  pending: boolean;
  following: Following;
  edit?: {
    onEdit: () => void;
    onDelete: () => void;
    /** While its corner is dragged; undefined when that was given up. */
    onResizing: (size: Size | undefined) => void;
    onResize: (size: Size) => void;
  };
}

/** One panel in its frame. */
export function BoardPanel({ project, panel, title, chosen, pending, following, edit }: Props) {
  const { t } = useTranslation();
  const sortable = useSortable({ id: panel.id, attributes: { roleDescription: t('dashboard.drag.role') } });
  const { transform, isDragging, isOver } = sortable;
  return (
    <section
      ref={sortable.setNodeRef}
      className={`panel ${classes.panel}`}
      style={{
        gridColumn: `span ${panel.width}`,
        transform: transform ? `translate(${transform.x}px, ${transform.y}px)` : undefined,
      }}
      data-dragging={isDragging || undefined}
      data-over={(isOver && !isDragging) || undefined}
      aria-label={title}
    >
      <header>
        {edit && (
          <Tooltip label={t('dashboard.move')}>
            <ActionIcon
              ref={sortable.setActivatorNodeRef}
              variant="subtle"
              color="gray"
              className={classes.grip}
              {...sortable.attributes}
              {...sortable.listeners}
              aria-label={`${t('dashboard.move')}: ${title}`}
            >
              <IconGripVertical size={16} />
            </ActionIcon>
          </Tooltip>
        )}
        <h2>{panel.title && title}</h2>
        {edit && (
          <>
            <RowAction icon={IconPencil} label={t('action.edit')} of={title} onClick={edit.onEdit} />
            <RowAction icon={IconTrash} label={t('action.delete')} of={title} onClick={edit.onDelete} />
          </>
        )}
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls is reached by keyboard */}
      <div className={classes.body} style={{ maxHeight: (HEIGHTS[panel.height] ?? 0) + 40 }} tabIndex={0}>
        {pending ? (
          <Skeleton height={HEIGHTS[panel.height]} />
        ) : (
          <PanelView project={project} panel={panel} chosen={chosen} following={following} />
        )}
      </div>
      {edit && <Resize of={title} size={panel} onResizing={edit.onResizing} onResize={edit.onResize} />}
    </section>
  );
}
