import { Button, NumberInput, Select, TextInput } from '@mantine/core';
import { IconFlask, IconPlayerStop, IconRepeat } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { providersQuery } from '../../api/prices.ts';
import { replayCall } from '../../api/quality.ts';
import { roleHistoryQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import type { Call, TryAnswer } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Block } from '../../parts/Mono.tsx';
import { Cost } from '../calls/Cost.tsx';
import { TryAnswerView } from '../role/TryAnswerView.tsx';
import { useAsking } from '../role/useAsking.ts';
import { variablesOf } from '../role/variables.ts';
import classes from './Call.module.css';
import { readable } from './readable.ts';

/** Asks the same again, for those who edit roles, and shows the answers beside each other. */
export function Replay({ call }: { call: Call }) {
  const { data: me } = useQuery(meQuery);
  if (!me?.user.system || !call.role) return null;
  return <Form call={call} />;
}

function Form({ call }: { call: Call }) {
  const { t } = useTranslation();
  const { data: versions } = useQuery(roleHistoryQuery(call.role));
  const { data: providers } = useQuery(providersQuery);
  const [version, setVersion] = useState(call.role_version);
  const [provider, setProvider] = useState<string | null>(null);
  const [model, setModel] = useState('');
  const [temperature, setTemperature] = useState<number | string>('');
  const [variables, setVariables] = useState<Record<string, string>>({});
  const names = variablesOf(versions?.find((each) => each.version === version)?.system_message ?? '');
  const asking = useAsking<undefined>((_, asked) =>
    replayCall(
      call.project_id,
      call.call_id,
      {
        version,
        provider: model ? (provider ?? undefined) : undefined,
        model: model || undefined,
        parameters: temperature === '' ? undefined : { temperature: Number(temperature) },
        variables:
          names.length > 0 ? Object.fromEntries(names.map((name) => [name, variables[name] ?? ''])) : undefined,
      },
      asked,
    ),
  );
  return (
    <section aria-labelledby="replay">
      <h2 id="replay" className={classes.heading}>
        {t('replay.title')}
      </h2>
      <div className={`panel ${classes.replay}`}>
        <p className="soft">{t('replay.masked')}</p>
        <form
          className={classes.replayForm}
          onSubmit={(event) => {
            event.preventDefault();
            asking.mutate(undefined);
          }}
        >
          <Select
            w={120}
            label={t('labels.version')}
            allowDeselect={false}
            data={(versions ?? [])
              .filter((each) => !each.deleted)
              .map((each) => ({ value: String(each.version), label: String(each.version) }))}
            value={String(version)}
            onChange={(next) => setVersion(Number(next))}
          />
          <Select
            w={150}
            label={t('roles.provider')}
            placeholder={t('replay.of_version')}
            clearable
            clearButtonProps={{ 'aria-label': t('roles.clear', { what: t('roles.provider') }) }}
            data={providers ?? []}
            value={provider}
            onChange={setProvider}
          />
          {provider && (
            <TextInput
              w={200}
              label={t('roles.model')}
              required
              value={model}
              onChange={(event) => setModel(event.currentTarget.value)}
            />
          )}
          <NumberInput
            w={130}
            label={t('roles.parameter.temperature')}
            placeholder={t('replay.of_version')}
            min={0}
            max={2}
            step={0.1}
            value={temperature}
            onChange={setTemperature}
          />
          {names.map((name) => (
            <TextInput
              key={name}
              w={160}
              label={name}
              value={variables[name] ?? ''}
              onChange={(event) => {
                const value = event.currentTarget.value;
                setVariables((old) => ({ ...old, [name]: value }));
              }}
            />
          ))}
          {asking.isPending ? (
            <Button variant="default" leftSection={<IconPlayerStop size={15} />} onClick={asking.stop}>
              {t('try.stop')}
            </Button>
          ) : (
            <Button type="submit" leftSection={<IconRepeat size={15} />}>
              {t('replay.ask')}
            </Button>
          )}
          <Button
            variant="default"
            leftSection={<IconFlask size={15} />}
            renderRoot={(props) => (
              <Link
                {...props}
                to="/projects/$project/playground/new"
                params={{ project: String(call.project_id) }}
                search={{ role: call.role, calls: call.call_id }}
              />
            )}
          >
            {t('replay.playground')}
          </Button>
        </form>
        {asking.isPending && <p role="status">{t('try.asking')}</p>}
        {asking.isPending && asking.text && <Block text={asking.text} what={t('calls.answer')} />}
        {asking.error && asking.error.name !== 'AbortError' && !asking.isPending && <Failure error={asking.error} />}
        {asking.data && <Beside call={call} answer={asking.data} />}
      </div>
    </section>
  );
}

/** The answer that was recorded, and the new one. */
function Beside({ call, answer }: { call: Call; answer: TryAnswer }) {
  const { t } = useTranslation();
  return (
    <div className={classes.beside}>
      <div>
        <h3>{t('replay.before')}</h3>
        <p className="dim">
          {`${call.model} · ${durationMs(call.latency_ms)} · `}
          <Cost usage={call.usage} />
        </p>
        {call.answer ? (
          <Block text={readable(call.answer)} what={t('replay.before')} />
        ) : (
          <p className="dim">{t('calls.no_text')}</p>
        )}
      </div>
      <div>
        <h3>{t('replay.after')}</h3>
        <TryAnswerView answer={answer} />
        <Link
          to="/projects/$project/ai-calls/$call"
          params={{ project: String(call.project_id), call: answer.call_id }}
        >
          {t('replay.to_call')}
        </Link>
      </div>
    </div>
  );
}
