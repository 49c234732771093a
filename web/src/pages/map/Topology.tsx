import '@xyflow/react/dist/base.css';
import { ActionIcon, Tooltip } from '@mantine/core';
import { IconFocusCentered, IconMinus, IconPlus } from '@tabler/icons-react';
import { Panel, Position, ReactFlow, ReactFlowProvider, useReactFlow } from '@xyflow/react';
import { type ReactNode, useEffect, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import type { MapNode, ServiceMap } from '../../api/types.ts';
import { type CallEdge, CallLine } from './CallLine.tsx';
import { layout, type Place } from './layout.ts';
import { type Compared, healthOf, widthOf } from './look.ts';
import classes from './Map.module.css';
import { edgeId } from './moments.ts';
import { type CardNode, HEIGHT, NodeCard, WIDTH } from './NodeCard.tsx';

const NODES = { card: NodeCard };
const EDGES = { call: CallLine };
const COLUMN = WIDTH + 88;
const ROW = HEIGHT + 40;
const FIT = { padding: 0.12, maxZoom: 1.1 };

interface Props {
  map: ServiceMap;
  minutes: number;
  /** The same node over the whole range, while a moment of it is shown. */
  whole: (node: MapNode) => Compared | undefined;
  selected: string | undefined;
  selectedEdge: string | undefined;
  /** Raised to bring the selected node into view. */
  show: number;
  onSelect: (id: string | undefined) => void;
  onSelectEdge: (id: string) => void;
}

/** The map as a drawing. Nodes stand where they stood as long as the component lives. */
export function Topology(props: Props) {
  return (
    <div className={classes.canvas}>
      <ReactFlowProvider>
        <Drawing {...props} />
      </ReactFlowProvider>
    </div>
  );
}

function Drawing({ map, minutes, whole, selected, selectedEdge, show, onSelect, onSelectEdge }: Props) {
  const { t } = useTranslation();
  const flow = useReactFlow();
  const kept = useRef<ReadonlyMap<string, Place>>(new Map());
  const places = useMemo(() => {
    const next = layout(
      (map.nodes ?? []).map((n) => n.id),
      map.edges ?? [],
      kept.current,
    );
    kept.current = new Map([...kept.current, ...next]);
    return next;
  }, [map]);
  const near = useMemo(() => {
    const ids = new Set(selected ? [selected] : []);
    for (const edge of map.edges) {
      if (edge.from === selected || edgeId(edge) === selectedEdge) ids.add(edge.to);
      if (edge.to === selected || edgeId(edge) === selectedEdge) ids.add(edge.from);
    }
    return ids.size > 0 ? ids : undefined;
  }, [map, selected, selectedEdge]);

  const nodes = useMemo(
    () =>
      (map.nodes ?? []).flatMap((node): CardNode[] => {
        const place = places.get(node.id);
        if (!place) return [];
        return [
          {
            id: node.id,
            type: 'card',
            position: { x: place.layer * COLUMN, y: place.slot * ROW },
            width: WIDTH,
            height: HEIGHT,
            handles: [
              { type: 'target', position: Position.Left, x: 0, y: HEIGHT / 2, width: 1, height: 1 },
              { type: 'source', position: Position.Right, x: WIDTH, y: HEIGHT / 2, width: 1, height: 1 },
            ],
            data: {
              node,
              minutes,
              whole: whole(node),
              selected: node.id === selected,
              faded: near !== undefined && !near.has(node.id),
              onSelect,
            },
          },
        ];
      }),
    [map, places, minutes, whole, selected, near, onSelect],
  );
  const edges = useMemo(() => {
    const all = map.edges ?? [];
    const busiest = Math.max(...all.map((e) => e.count), 1);
    return all.map((edge): CallEdge => {
      const id = edgeId(edge);
      const touches = edge.from === selected || edge.to === selected || id === selectedEdge;
      return {
        id,
        type: 'call',
        source: edge.from,
        target: edge.to,
        zIndex: touches ? 1 : 0,
        markerEnd: healthOf(edge) === 'good' ? 'call-good' : 'call-bad',
        data: {
          edge,
          minutes,
          width: widthOf(edge, busiest),
          labelled: touches,
          faded: edge.count === 0 || (near !== undefined && !touches),
        },
      };
    });
  }, [map, minutes, selected, selectedEdge, near]);

  const shown = useRef(show);
  useEffect(() => {
    const place = selected ? places.get(selected) : undefined;
    if (show === shown.current || !place) return;
    shown.current = show;
    void flow.setCenter(place.layer * COLUMN + WIDTH / 2, place.slot * ROW + HEIGHT / 2, {
      zoom: Math.max(flow.getZoom(), 0.8),
    });
  }, [show, selected, places, flow]);

  return (
    <ReactFlow
      className={classes.flow}
      aria-label={t('map.canvas')}
      nodes={nodes}
      edges={edges}
      nodeTypes={NODES}
      edgeTypes={EDGES}
      nodesDraggable={false}
      nodesConnectable={false}
      nodesFocusable={false}
      edgesFocusable={false}
      elementsSelectable={false}
      minZoom={0.1}
      maxZoom={2}
      fitView
      fitViewOptions={FIT}
      onEdgeClick={(_, edge) => onSelectEdge(edge.id)}
      onPaneClick={() => onSelect(undefined)}
      proOptions={{ hideAttribution: true }}
    >
      <svg className="offscreen" aria-hidden="true">
        <defs>
          <Arrow id="call-good" />
          <Arrow id="call-bad" />
        </defs>
      </svg>
      <Panel position="bottom-left" className={classes.zoom}>
        <Tool label={t('map.zoom_in')} onClick={() => void flow.zoomIn()}>
          <IconPlus size={16} />
        </Tool>
        <Tool label={t('map.zoom_out')} onClick={() => void flow.zoomOut()}>
          <IconMinus size={16} />
        </Tool>
        <Tool label={t('map.fit')} onClick={() => void flow.fitView(FIT)}>
          <IconFocusCentered size={16} />
        </Tool>
      </Panel>
      <Panel position="bottom-right" className={classes.legend}>
        <span>{t('map.legend.thick')}</span>
        <span data-health="bad">{t('map.legend.error')}</span>
        <span>{t('map.legend.dashed')}</span>
      </Panel>
    </ReactFlow>
  );
}

/** The head of a line, in the line's colour: tells the direction of calls that run backwards. */
function Arrow({ id }: { id: string }) {
  return (
    <marker
      id={id}
      viewBox="0 0 10 10"
      refX={9}
      refY={5}
      markerWidth={11}
      markerHeight={11}
      markerUnits="userSpaceOnUse"
      orient="auto"
    >
      <path d="M 0 1 L 9 5 L 0 9 z" className={classes.arrow} data-bad={id === 'call-bad' || undefined} />
    </marker>
  );
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: ReactNode }) {
  return (
    <Tooltip label={label} position="right">
      <ActionIcon variant="default" size={30} aria-label={label} onClick={onClick}>
        {children}
      </ActionIcon>
    </Tooltip>
  );
}
