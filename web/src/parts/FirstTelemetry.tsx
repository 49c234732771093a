import { Anchor } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { Trans, useTranslation } from 'react-i18next';
import { Block } from './Mono.tsx';

/** The three lines that make telemetry flow, with the reader's own endpoint. */
export function FirstTelemetry({ project }: { project: number }) {
  const { t } = useTranslation();
  const endpoint = `${window.location.protocol}//${window.location.hostname}:4318`;
  const lines = [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${endpoint}`,
    'export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf',
    `export OTEL_EXPORTER_OTLP_HEADERS=x-matrix-key=${t('first.key')}`,
  ].join('\n');
  return (
    <div>
      <Block text={lines} what={t('first.what')} />
      <p className="dim">
        <Trans
          t={t}
          i18nKey="first.where"
          components={{
            keys: (
              <Anchor
                fz="inherit"
                renderRoot={(props) => (
                  <Link
                    {...props}
                    to="/projects/$project/settings"
                    params={{ project: String(project) }}
                    search={{ tab: 'keys' }}
                  />
                )}
              />
            ),
          }}
        />
      </p>
    </div>
  );
}
