import { Button, SegmentedControl, Skeleton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconAlertTriangle, IconChevronRight, IconDownload } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { incidentQuery } from '../../api/incidents.ts';
import { comparisonQuery, downloadAddress, traceQuery, traceSearchQuery } from '../../api/traces.ts';
import type { Fact, Incident, Outline, Span, SpanKind } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { precise } from '../../format/time.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Mono } from '../../parts/Mono.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Failures } from './Failures.tsx';
import { Findings } from './Findings.tsx';
import { FlameGraph } from './FlameGraph.tsx';
import { Logs } from './Logs.tsx';
import { type Look, looks } from './look.ts';
import { collapsible, find, kindOfTwin, type Model, modelOf, operationOf } from './model.ts';
import { ProfileTable } from './ProfileTable.tsx';
import { ServiceName } from './ServiceName.tsx';
import { SpanPanel } from './SpanPanel.tsx';
import { Statements } from './Statements.tsx';
import { Toolbar } from './Toolbar.tsx';
import classes from './Trace.module.css';
import { Waterfall } from './Waterfall.tsx';

const ROUTE = '/home/projects/$project/traces/$traceId';

/** While one walks from span to span, details are read of the one at which one stays this long, in ms. */
const STAY = 120;

type View = 'waterfall' | 'profile' | 'flame' | 'sql' | 'errors' | 'logs';

/** What a link to this page can say. */
interface Said {
  span?: string;
  kind?: SpanKind;
  view?: View;
  q?: string;
  service?: string;
}

/** One request through all services: as a waterfall, as the numbered profile the reports cite, as a flame graph. */
export function TracePage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { traceId } = useParams({ from: ROUTE });
  const { data: outline, error, refetch } = useQuery(traceQuery(project, traceId));
  useTitle(t('trace.title', { id: traceId.slice(0, 8) }));
  if (error && !outline) {
    return (
      <div className="page">
        <Failure error={error} retry={() => void refetch()} />
      </div>
    );
  }
  return outline ? <Loaded key={traceId} outline={outline} project={project} /> : <Waiting />;
}

function Loaded({ outline, project }: { outline: Outline; project: number }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { span: named, kind, view = 'waterfall', q = '', service, incident: incidentId } = useSearch({ from: ROUTE });
  const say = (said: Said) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...said }), replace: true, resetScroll: false });

  const model = useMemo(() => modelOf(outline), [outline]);
  const services = useMemo(() => looks(outline.services), [outline]);
  const incident = useQuery({ ...incidentQuery(project, incidentId ?? 0), enabled: incidentId !== undefined }).data;
  const cited = useMemo(() => citedSpans(incident), [incident]);
  const comparison = useQuery(comparisonQuery(project, outline.trace_id, '')).data;
  const found = useFound(model, project, q);
  const lit = useLit(model, found, service);

  const [collapsed, setCollapsed] = useState<ReadonlySet<number>>(new Set());
  const [critical, setCritical] = useState(true);
  const tools = useRef<HTMLDivElement>(null);
  const panel = useRef<HTMLElement>(null);

  const selected = find(model, named, kind);
  const [settled] = useDebouncedValue(selected, STAY);
  const select = (i: number | undefined) =>
    say(
      i === undefined
        ? { span: undefined, kind: undefined }
        : { span: model.spans[i]?.span_id, kind: kindOfTwin(model, i) },
    );
  const selectById = (id: string) => say({ span: id, kind: undefined });

  return (
    <div className="page">
      <header className={classes.head}>
        {incidentId !== undefined && (
          <div className={classes.crumbs}>
            <Link
              to="/projects/$project/incidents/$incident"
              params={{ project: String(project), incident: String(incidentId) }}
              search={{ fact: named && cited.get(named)?.[0]?.id }}
            >
              {t('trace.back', { id: incidentId })}
            </Link>
            <IconChevronRight size={14} aria-hidden />
            <span>{t('trace.trace')}</span>
          </div>
        )}
        <div className={classes.titleRow}>
          <h1>{titleOf(model) || t('trace.trace')}</h1>
          <Button
            component="a"
            href={downloadAddress(project, outline.trace_id)}
            download
            size="compact-sm"
            variant="default"
            leftSection={<IconDownload size={15} />}
          >
            {t('trace.download')}
          </Button>
          <Copy text={window.location.href} what={t('copy.link')} />
          <Views view={view} outline={outline} onView={(v) => say({ view: v === 'waterfall' ? undefined : v })} />
        </div>
        <Summary outline={outline} />
        <Legend model={model} services={services} lit={service} onLit={(name) => say({ service: name })} />
        {outline.truncated && (
          <Warning>
            {t('trace.truncated', { shown: count(outline.spans.length - outline.missing), all: count(outline.stored) })}
          </Warning>
        )}
        {named && selected < 0 && <Warning>{t('trace.no_span', { id: named })}</Warning>}
      </header>
      <Findings model={model} services={services} comparison={comparison} onSelect={select} />
      <div className={classes.split} data-open={selected >= 0 ? true : undefined}>
        <div className={`panel ${classes.view}`}>
          {(view === 'waterfall' || view === 'flame') && (
            <Toolbar
              ref={tools}
              text={q}
              found={found}
              failed={model.failed}
              selected={selected}
              critical={view === 'waterfall' ? critical : undefined}
              onText={(text) => say({ q: text || undefined })}
              onSelect={select}
              onCritical={setCritical}
              onCollapse={
                view === 'waterfall' ? (all) => setCollapsed(all ? collapsible(model.spans) : new Set()) : undefined
              }
            />
          )}
          {view === 'waterfall' && (
            <Waterfall
              model={model}
              services={services}
              cited={cited}
              selected={selected}
              collapsed={collapsed}
              lit={lit}
              critical={critical}
              onSelect={select}
              onCollapse={setCollapsed}
              onSearch={() => tools.current?.querySelector('input')?.focus()}
              onDetail={() => panel.current?.focus()}
            />
          )}
          {view === 'flame' && (
            <FlameGraph model={model} services={services} selected={selected} lit={lit} onSelect={select} />
          )}
          {view === 'profile' && (
            <ProfileTable
              traceId={outline.trace_id}
              project={project}
              cited={cited}
              selected={named}
              onSelect={selectById}
            />
          )}
          {view === 'sql' && <Statements model={model} project={project} selected={selected} onSelect={select} />}
          {view === 'errors' && <Failures model={model} services={services} selected={selected} onSelect={select} />}
          {view === 'logs' && <Logs project={project} outline={outline} />}
        </div>
        {selected >= 0 && (
          <SpanPanel
            ref={panel}
            model={model}
            project={project}
            span={selected}
            settled={settled}
            look={services.get(operationOf(model, selected).service)}
            facts={cited.get(named ?? '') ?? []}
            onClose={() => select(undefined)}
          />
        )}
      </div>
    </div>
  );
}

/** The spans that hold the text that is searched for, ascending; undefined while nothing is, or it is not known yet. */
function useFound(model: Model, project: number, text: string): number[] | undefined {
  const { data } = useQuery({ ...traceSearchQuery(project, model.outline.trace_id, text), enabled: text !== '' });
  return useMemo(() => {
    if (text === '' || !data) return undefined;
    const ids = new Set(data);
    return model.spans.flatMap((s, i) => (ids.has(s.span_id) ? [i] : []));
  }, [data, model, text]);
}

/** The spans that stand out: those found, else those of the service one looks at. */
function useLit(model: Model, found?: number[], service?: string): ReadonlySet<number> | undefined {
  return useMemo(() => {
    if (found) return new Set(found);
    if (!service) return undefined;
    return new Set(model.spans.flatMap((_, i) => (operationOf(model, i).service === service ? [i] : [])));
  }, [model, found, service]);
}

/** A trace is called after its first root that is stored. */
function titleOf(model: Model): string {
  const first = model.spans.findIndex((s) => !s.missing);
  return first < 0 ? '' : operationOf(model, first).name;
}

function Views({ view, outline, onView }: { view: View; outline: Outline; onView: (view: View) => void }) {
  const { t } = useTranslation();
  const { statements, failed_spans } = outline;
  return (
    <SegmentedControl
      aria-label={t('trace.view')}
      value={view}
      onChange={(next) => onView(next as View)}
      data={[
        { value: 'waterfall', label: t('trace.waterfall') },
        { value: 'profile', label: t('trace.profile') },
        { value: 'flame', label: t('trace.flame') },
        { value: 'sql', label: `${t('trace.kind.sql')} ${count(statements.length)}` },
        { value: 'errors', label: `${t('trace.errors')} ${count(failed_spans)}` },
        { value: 'logs', label: t('trace.logs') },
      ]}
    />
  );
}

function Warning({ children }: { children: ReactNode }) {
  return (
    <p className={classes.warning}>
      <IconAlertTriangle size={15} aria-hidden />
      {children}
    </p>
  );
}

function Summary({ outline }: { outline: Outline }) {
  const { t } = useTranslation();
  return (
    <dl className={classes.summary}>
      <div>
        <dt>{t('trace.id')}</dt>
        <dd>
          <Mono text={outline.trace_id} what={t('trace.id')} />
        </dd>
      </div>
      <div>
        <dt>{t('trace.start')}</dt>
        <dd>{precise(outline.start)}</dd>
      </div>
      <div>
        <dt>{t('trace.duration')}</dt>
        <dd>
          <strong>{duration(outline.duration_ns)}</strong>
        </dd>
      </div>
      <div>
        <dt>{t('trace.spans')}</dt>
        <dd>{count(outline.spans.length - outline.missing)}</dd>
      </div>
      <div>
        <dt>{t('trace.errors')}</dt>
        <dd className={outline.failed_spans ? classes.bad : undefined}>{count(outline.failed_spans)}</dd>
      </div>
    </dl>
  );
}

interface LegendProps {
  model: Model;
  services: Map<string, Look>;
  lit?: string;
  onLit: (service: string | undefined) => void;
}

/** The services with what each worked itself; pressing one puts the others in the dark. */
function Legend({ model, services, lit, onLit }: LegendProps) {
  const { t } = useTranslation();
  const all = Math.max(
    1,
    [...model.work.values()].reduce((sum, ns) => sum + ns, 0),
  );
  return (
    <ul className={classes.legend} aria-label={t('trace.services')}>
      {[...services].map(([name, look]) => (
        <li key={name}>
          <button
            type="button"
            aria-pressed={lit === name}
            title={t('trace.worked', { time: duration(model.work.get(name) ?? 0) })}
            onClick={() => onLit(lit === name ? undefined : name)}
          >
            <ServiceName name={name} look={look} />
            <span className="dim">{percent((model.work.get(name) ?? 0) / all)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Waiting() {
  return (
    <div className="page" aria-busy>
      <Skeleton height={26} width="32%" mb={12} />
      <Skeleton height={18} width="60%" mb={18} />
      <Skeleton height={86} mb={14} />
      <Skeleton height={520} />
    </div>
  );
}

/** Which facts that the incident's report cites stand on which span. */
function citedSpans(incident: Incident | undefined): Map<Span['span_id'], Fact[]> {
  const bySpan = new Map<string, Fact[]>();
  const { report } = incident ?? {};
  if (!report) return bySpan;
  const points = [report.summary, ...report.transaction, ...report.analysis, ...report.actions];
  const ids = new Set(points.flatMap((point) => point.evidence));
  for (const fact of incident?.evidence ?? []) {
    if (fact.span_id && ids.has(fact.id)) bySpan.set(fact.span_id, [...(bySpan.get(fact.span_id) ?? []), fact]);
  }
  return bySpan;
}
