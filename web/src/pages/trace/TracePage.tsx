import { SegmentedControl, Skeleton } from '@mantine/core';
import { IconAlertTriangle, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { incidentQuery } from '../../api/incidents.ts';
import { traceQuery } from '../../api/traces.ts';
import type { Fact, Incident, Span, Trace } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { precise } from '../../format/time.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Mono } from '../../parts/Mono.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { isError, looks, titleOf } from './look.ts';
import { ProfileTable } from './ProfileTable.tsx';
import { ServiceName } from './ServiceName.tsx';
import { SpanDetail } from './SpanDetail.tsx';
import classes from './Trace.module.css';
import { rootOf } from './tree.ts';
import { Waterfall } from './Waterfall.tsx';

const ROUTE = '/home/projects/$project/traces/$traceId';

/** One request through all services: as a waterfall, and as the numbered profile the reports cite. */
export function TracePage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { traceId } = useParams({ from: ROUTE });
  const { data: trace, error, refetch } = useQuery(traceQuery(project, traceId));
  useTitle(t('trace.title', { id: traceId.slice(0, 8) }));
  if (error && !trace) {
    return (
      <div className="page">
        <Failure error={error} retry={() => void refetch()} />
      </div>
    );
  }
  return trace ? <Loaded trace={trace} project={project} /> : <Waiting />;
}

function Loaded({ trace, project }: { trace: Trace; project: number }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { span: selected, view = 'waterfall', incident: incidentId } = useSearch({ from: ROUTE });
  const incident = useQuery({ ...incidentQuery(project, incidentId ?? 0), enabled: incidentId !== undefined }).data;
  const services = useMemo(() => looks(trace.services ?? []), [trace]);
  const root = useMemo(() => rootOf(trace.spans), [trace]);
  const cited = useMemo(() => citedSpans(incident), [incident]);
  const span = trace.spans.find((s) => s.span_id === selected);
  const select = (id: string | undefined) =>
    void navigate({ to: '.', search: (old) => ({ ...old, span: id }), replace: true, resetScroll: false });

  return (
    <div className="page">
      <header className={classes.head}>
        {incidentId !== undefined && (
          <div className={classes.crumbs}>
            <Link
              to="/projects/$project/incidents/$incident"
              params={{ project: String(project), incident: String(incidentId) }}
              search={{ fact: selected && cited.get(selected)?.[0]?.id }}
            >
              {t('trace.back', { id: incidentId })}
            </Link>
            <IconChevronRight size={14} aria-hidden />
            <span>{t('trace.trace')}</span>
          </div>
        )}
        <div className={classes.titleRow}>
          <h1>{root ? titleOf(root) : t('trace.trace')}</h1>
          <SegmentedControl
            aria-label={t('trace.view')}
            value={view}
            onChange={(next) =>
              void navigate({
                to: '.',
                search: (old) => ({ ...old, view: next === 'waterfall' ? undefined : (next as typeof view) }),
                replace: true,
                resetScroll: false,
              })
            }
            data={[
              { value: 'waterfall', label: t('trace.waterfall') },
              { value: 'profile', label: t('trace.profile') },
            ]}
          />
        </div>
        <Summary trace={trace} />
        <ul className={classes.legend} aria-label={t('trace.services')}>
          {[...services].map(([name, look]) => (
            <li key={name}>
              <ServiceName name={name} look={look} />
            </li>
          ))}
        </ul>
        {trace.truncated && (
          <p className={classes.warning}>
            <IconAlertTriangle size={15} aria-hidden />
            {t('trace.truncated', { shown: count(trace.spans.length) })}
          </p>
        )}
        {selected && !span && (
          <p className={classes.warning}>
            <IconAlertTriangle size={15} aria-hidden />
            {t('trace.no_span', { id: selected })}
          </p>
        )}
      </header>
      <div className={classes.split} data-open={span ? true : undefined}>
        {view === 'waterfall' ? (
          <Waterfall trace={trace} services={services} cited={cited} selected={selected} onSelect={select} />
        ) : (
          <ProfileTable trace={trace} project={project} cited={cited} selected={selected} onSelect={select} />
        )}
        {span && (
          <SpanDetail
            key={span.span_id}
            span={span}
            trace={trace}
            look={services.get(span.service)}
            facts={cited.get(span.span_id) ?? []}
            onClose={() => select(undefined)}
          />
        )}
      </div>
    </div>
  );
}

function Summary({ trace }: { trace: Trace }) {
  const { t } = useTranslation();
  const errors = trace.spans.filter(isError).length;
  return (
    <dl className={classes.summary}>
      <div>
        <dt>{t('trace.id')}</dt>
        <dd>
          <Mono text={trace.trace_id} what={t('trace.id')} />
        </dd>
      </div>
      <div>
        <dt>{t('trace.start')}</dt>
        <dd>{precise(trace.start)}</dd>
      </div>
      <div>
        <dt>{t('trace.duration')}</dt>
        <dd>
          <strong>{duration(trace.duration_ns)}</strong>
        </dd>
      </div>
      <div>
        <dt>{t('trace.spans')}</dt>
        <dd>{count(trace.spans.length)}</dd>
      </div>
      <div>
        <dt>{t('trace.errors')}</dt>
        <dd className={errors ? classes.bad : undefined}>{count(errors)}</dd>
      </div>
    </dl>
  );
}

function Waiting() {
  return (
    <div className="page" aria-busy>
      <Skeleton height={26} width="32%" mb={12} />
      <Skeleton height={18} width="60%" mb={18} />
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
