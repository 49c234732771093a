import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Trans, useTranslation } from 'react-i18next';
import { setupQuery } from '../api/project.ts';
import { Block } from './Mono.tsx';

/** The three lines that make telemetry flow, with this installation's own endpoint and key. */
export function FirstTelemetry({ project }: { project: number }) {
  const { t } = useTranslation();
  const { data: setup, isError } = useQuery(setupQuery(project));
  if (isError) return null;
  if (!setup) return <Skeleton height={96} />;
  const [key] = setup.keys.filter((k) => !k.revoked_at);
  const header = setup.header.replace('<key>', key ? `${key.hint}…` : t('first.key'));
  const lines = [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${setup.otlp_http}`,
    'export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    `export OTEL_EXPORTER_OTLP_HEADERS=${header}`,
  ].join('\n');
  return (
    <div>
      <Block text={lines} what={t('first.what')} />
      <p className="dim after">
        <Trans
          t={t}
          i18nKey={setup.key_free ? 'first.key_free' : 'first.where'}
          components={{
            keys: (
              <Link to="/projects/$project/settings" params={{ project: String(project) }} search={{ tab: 'keys' }} />
            ),
          }}
        />
      </p>
    </div>
  );
}
