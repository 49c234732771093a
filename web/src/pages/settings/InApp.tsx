import { Button, Skeleton, Textarea } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { inAppQuery, updateInApp } from '../../api/issues.ts';
import type { InAppRules } from '../../api/types.ts';
import { useCanWrite } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';

/** What of a stack trace is the application's own. */
export function InApp({ project }: { project: number }) {
  const { data, error, refetch } = useQuery(inAppQuery(project));
  if (data) return <Form key={data.version} project={project} rules={data} />;
  return error ? <Failure error={error} retry={() => void refetch()} /> : <Skeleton height={260} />;
}

const lines = (text: string) =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter(Boolean);

function Form({ project, rules }: { project: number; rules: InAppRules }) {
  const { t } = useTranslation();
  const canWrite = useCanWrite();
  const [include, setInclude] = useState(rules.include.join('\n'));
  const [exclude, setExclude] = useState(rules.exclude.join('\n'));
  const change = useChange(
    () => updateInApp(project, rules.version, { include: lines(include), exclude: lines(exclude) }),
    { refresh: ['in-app-rules', project], done: t('settings.in_app.saved') },
  );
  return (
    <form
      className="form settings-form"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate(undefined);
      }}
    >
      {(
        [
          ['include', include, setInclude, 'com.shop.'],
          ['exclude', exclude, setExclude, 'com.shop.generated.'],
        ] as const
      ).map(([name, value, set, example]) => (
        <Textarea
          key={name}
          autosize
          minRows={4}
          maxRows={16}
          readOnly={!canWrite}
          label={t(`settings.in_app.${name}`)}
          placeholder={example}
          styles={{ input: { fontFamily: 'var(--mx-mono)', fontSize: 12 } }}
          value={value}
          onChange={(event) => set(event.currentTarget.value)}
        />
      ))}
      {canWrite && (
        <div className="row">
          <Button type="submit" loading={change.isPending}>
            {t('action.save')}
          </Button>
          {rules.version > 0 && (
            <span className="dim">
              {rules.updated_by} <When at={rules.updated_at} />
            </span>
          )}
        </div>
      )}
    </form>
  );
}
