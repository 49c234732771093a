import {
  closestCenter,
  DndContext,
  type DragEndEvent,
  KeyboardSensor,
  PointerSensor,
  type UniqueIdentifier,
  useSensor,
  useSensors,
} from '@dnd-kit/core';
import { arrayMove, SortableContext, sortableKeyboardCoordinates } from '@dnd-kit/sortable';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Following } from '../../api/pages.ts';
import type { DashboardPanel } from '../../api/types.ts';
import { Charts } from '../../parts/chart/Charts.tsx';
import { BoardPanel } from './BoardPanel.tsx';
import classes from './Dashboard.module.css';
import { type Chosen, fillText } from './variables.ts';

interface Props {
  project: number;
  panels: DashboardPanel[];
  chosen: Chosen;
  /** The values of the variables are not known yet. */
  pending: boolean;
  following: Following;
  /** Absent while the board is only looked at. */
  edit?: { onPanels: (panels: DashboardPanel[]) => void; onEdit: (panel: DashboardPanel) => void };
}

// Panels differ in size and stand in reading order: the others stay where they
// are until one is let go.
const stay = () => null;

/** The panels in rows of twelve columns, moved by dragging or by keys while the board is edited. */
export function Panels({ project, panels, chosen, pending, following, edit }: Props) {
  const { t } = useTranslation();
  // The panel whose corner is being dragged, as large as it would be.
  const [resized, setResized] = useState<DashboardPanel>();
  const sensors = useSensors(
    useSensor(PointerSensor, { activationConstraint: { distance: 4 } }),
    useSensor(KeyboardSensor, { coordinateGetter: sortableKeyboardCoordinates }),
  );
  const titleOf = (panel: DashboardPanel) =>
    fillText(panel.title ?? '', chosen, t('dashboard.all')) || t(`dashboard.kind.${panel.kind}`);
  const placeOf = (id: UniqueIdentifier | undefined) => panels.findIndex((p) => p.id === id);
  const told = (id: UniqueIdentifier, over?: UniqueIdentifier) => {
    const panel = panels[placeOf(id)];
    return { title: panel && titleOf(panel), place: placeOf(over ?? id) + 1, total: panels.length };
  };
  const onDragEnd = ({ active, over }: DragEndEvent) => {
    const [from, to] = [placeOf(active.id), placeOf(over?.id)];
    if (to >= 0 && from !== to) edit?.onPanels(arrayMove(panels, from, to));
  };
  return (
    <DndContext
      sensors={sensors}
      collisionDetection={closestCenter}
      onDragEnd={onDragEnd}
      accessibility={{
        screenReaderInstructions: { draggable: t('dashboard.drag.how') },
        announcements: {
          onDragStart: ({ active }) => t('dashboard.drag.lifted', told(active.id)),
          // A panel that was just picked up is over itself: that would drown what was said about it.
          onDragOver: ({ active, over }) =>
            over && over.id !== active.id ? t('dashboard.drag.over', told(active.id, over.id)) : undefined,
          onDragEnd: ({ active, over }) => t('dashboard.drag.dropped', told(active.id, over?.id)),
          onDragCancel: ({ active }) => t('dashboard.drag.cancelled', told(active.id)),
        },
      }}
    >
      <SortableContext items={panels} strategy={stay} disabled={!edit}>
        <Charts className={classes.grid}>
          {panels.map((panel) => (
            <BoardPanel
              key={panel.id}
              project={project}
              panel={resized?.id === panel.id ? resized : panel}
              title={titleOf(panel)}
              chosen={chosen}
              pending={pending}
              following={following}
              edit={
                edit && {
                  onEdit: () => edit.onEdit(panel),
                  onDelete: () => edit.onPanels(panels.filter((p) => p.id !== panel.id)),
                  onResizing: (size) => setResized(size && { ...panel, ...size }),
                  onResize: (size) => {
                    setResized(undefined);
                    if (size.width !== panel.width || size.height !== panel.height)
                      edit.onPanels(panels.map((p) => (p.id === panel.id ? { ...p, ...size } : p)));
                  },
                }
              }
            />
          ))}
        </Charts>
      </SortableContext>
    </DndContext>
  );
}
