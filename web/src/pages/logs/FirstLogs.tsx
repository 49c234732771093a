import { useTranslation } from 'react-i18next';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { Block } from '../../parts/Mono.tsx';

/** How logs come here: from programs, and from files. */
export function FirstLogs({ project }: { project: number }) {
  const { t } = useTranslation();
  return (
    <div>
      <FirstTelemetry project={project} />
      <p className="after">{t('logs.first_java')}</p>
      <Block text="export OTEL_LOGS_EXPORTER=otlp" what={t('logs.first_java')} />
      <p className="after">{t('logs.first_files')}</p>
      <Block text="otelcol-contrib --config deploy/otel-collector/filelog.yaml" what={t('logs.first_files')} />
    </div>
  );
}
