import { Skeleton } from '@mantine/core';
import { IconListCheck, IconSparkles } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Incident, Point, Report } from '../../api/types.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Opinion } from '../../parts/Opinion.tsx';
import { When } from '../../parts/When.tsx';
import { Cite } from './Cite.tsx';
import classes from './Incident.module.css';
import { reportText, sectionTitles } from './reportText.ts';
import { useReason } from './useReason.ts';

/** The report in its four sections, every point beside the evidence it stands on. */
export function ReportView({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const { report } = incident;
  return (
    <section aria-labelledby="report" aria-busy={!report}>
      <div className={classes.reportHead}>
        <h2 id="report" className={classes.heading}>
          {t('incident.report')}
        </h2>
        {report && <Copy text={reportText(report)} what={t('incident.report')} />}
        {report && <Origin report={report} project={incident.project_id} />}
      </div>
      {report ? <Sections report={report} incident={incident} /> : <Pending incident={incident} />}
      {report?.source === 'model' && report.call_id && <Opinion project={incident.project_id} call={report.call_id} />}
    </section>
  );
}

function Sections({ report, incident }: { report: Report; incident: Incident }) {
  const { t } = useTranslation();
  const titles = sectionTitles(report);
  const points = (list: Point[] | null) =>
    (list ?? []).map((point) => (
      <li key={point.text}>
        {point.text} <Cite ids={point.evidence} incident={incident} />
      </li>
    ));
  return (
    <div className={`panel ${classes.report}`} lang={report.language}>
      <h3>{titles.summary}</h3>
      <p className={classes.summary}>
        {report.summary.text} <Cite ids={report.summary.evidence} incident={incident} />
      </p>
      <h3>{titles.transaction}</h3>
      <ul>{points(report.transaction)}</ul>
      <h3>
        {titles.analysis}
        {report.confidence && (
          <span className={classes.confidence} data-level={report.confidence}>
            {t(`incident.confidence.${report.confidence}`)}
          </span>
        )}
      </h3>
      <ol>{points(report.analysis)}</ol>
      <h3>{titles.actions}</h3>
      <ol>{points(report.actions)}</ol>
    </div>
  );
}

/** Who wrote it: a model, in which role and version, or nobody; and the call that was made, also in vain. */
function Origin({ report, project }: { report: Report; project: number }) {
  const { t } = useTranslation();
  const reason = useReason();
  const role = report.role && <code>{`${report.role}@${report.role_version}`}</code>;
  const call = report.call_id && (
    <Link to="/projects/$project/ai-calls/$call" params={{ project: String(project), call: report.call_id }}>
      {t('incident.to_call')}
    </Link>
  );
  if (report.source === 'model') {
    return (
      <p className={classes.origin}>
        <IconSparkles size={14} aria-hidden />
        <span>{t('incident.by_model', { model: report.model, provider: report.provider })}</span>
        {role}
        {call}
        <When at={report.created_at} />
      </p>
    );
  }
  return (
    <p className={classes.origin} data-plain>
      <IconListCheck size={14} aria-hidden />
      <span>{reason(report.reason)}</span>
      {role}
      {call}
      <When at={report.created_at} />
    </p>
  );
}

function Pending({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  return (
    <div className={`panel ${classes.report}`}>
      <p className="soft" role="status">
        {t(`incident.analysis.${incident.analysis}`)}
      </p>
      {incident.analysis !== 'failed' &&
        [92, 78, 60, 84, 70].map((width) => <Skeleton key={width} height={12} width={`${width}%`} mt={14} />)}
    </div>
  );
}
