import { Button, Radio, Skeleton, Stack } from '@mantine/core';
import { IconInfoCircle } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { analysisSettingsQuery, setAnalysisSettings } from '../../api/incidents.ts';
import type { AnalysisSettings } from '../../api/types.ts';
import { useCanAdmin } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';

const CHOICES = ['unclear', 'always', 'off'] as const;

/** When a model may ask for more facts about an incident. */
export function Analysis({ project }: { project: number }) {
  const { data, error, refetch } = useQuery(analysisSettingsQuery(project));
  if (data) return <Form key={data.version} project={project} settings={data} />;
  return error ? <Failure error={error} retry={() => void refetch()} /> : <Skeleton height={220} maw={560} aria-busy />;
}

function Form({ project, settings }: { project: number; settings: AnalysisSettings }) {
  const { t } = useTranslation();
  const canAdmin = useCanAdmin();
  const [investigate, setInvestigate] = useState(settings.investigate);
  const change = useChange(() => setAnalysisSettings(project, settings.version, investigate), {
    refresh: ['incident-analysis', project],
    done: t('settings.analysis.saved'),
  });
  return (
    <form
      className="form settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(undefined);
      }}
    >
      {!canAdmin && (
        <p className="note">
          <IconInfoCircle size={15} aria-hidden />
          {t('project.read_only')}
        </p>
      )}
      <Radio.Group
        label={t('settings.analysis.investigate')}
        value={investigate}
        onChange={(next) => setInvestigate(next as typeof investigate)}
      >
        <Stack gap={10} mt={8}>
          {CHOICES.map((choice) => (
            <Radio
              key={choice}
              value={choice}
              disabled={!canAdmin}
              label={t(`settings.analysis.choice.${choice}`)}
              description={t(`settings.analysis.means.${choice}`)}
            />
          ))}
        </Stack>
      </Radio.Group>
      {canAdmin && (
        <div className="row">
          <Button type="submit" loading={change.isPending} disabled={investigate === settings.investigate}>
            {t('action.save')}
          </Button>
          {settings.version > 0 && settings.updated_at && (
            <span className="dim">
              {settings.updated_by} <When at={settings.updated_at} />
            </span>
          )}
        </div>
      )}
    </form>
  );
}
