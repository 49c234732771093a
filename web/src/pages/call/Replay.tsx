import { Button, Select, Switch, TextInput } from '@mantine/core';
import { IconFlask, IconPlayerStop, IconRepeat } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { originalsQuery } from '../../api/calls.ts';
import { replayCall } from '../../api/quality.ts';
import { chainProvidersQuery, roleHistoryQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import type { Call, TryAnswer } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { useCanAdmin } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Block } from '../../parts/Mono.tsx';
import { useEditsRoles } from '../../parts/OwnerSelect.tsx';
import { Cost } from '../calls/Cost.tsx';
import { TryAnswerView } from '../role/TryAnswerView.tsx';
import { useAsking } from '../role/useAsking.ts';
import { variablesOf } from '../role/variables.ts';
import { ParameterFields } from '../roles/ParameterFields.tsx';
import { type Again, entriesOf, OTHER, requestOf } from './again.ts';
import classes from './Call.module.css';
import { withOriginals } from './originals.ts';
import { readable } from './readable.ts';

/** Asks the same again, for those who edit roles, and shows the answers beside each other. */
export function Replay({ call }: { call: Call }) {
  const { data: me } = useQuery(meQuery);
  const edits = useEditsRoles(call.org_id);
  if (!edits || !call.role) return null;
  return <Form call={call} shared={me?.user.system ?? false} />;
}

function Form({ call, shared }: { call: Call; shared: boolean }) {
  const { t } = useTranslation();
  const { data: versions } = useQuery({
    ...roleHistoryQuery({ owner: call.role_owner, code: call.role }),
    enabled: call.role_owner !== 0 || shared,
  });
  const { data: providers } = useQuery(chainProvidersQuery(call.org_id));
  const may = useCanAdmin();
  const [again, setAgain] = useState<Again>({
    version: call.role_version,
    model: '',
    provider: '',
    name: '',
    parameters: {},
    variables: {},
    originals: false,
  });
  const set = (part: Partial<Again>) => setAgain((old) => ({ ...old, ...part }));
  const role = versions?.find((each) => each.version === again.version);
  const names = variablesOf(role?.system_message ?? '');
  const entries = entriesOf(role);
  const asking = useAsking<undefined>((_, asked) =>
    replayCall(call.project_id, call.call_id, requestOf(again, names), asked),
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
            label={t('labels.version')}
            allowDeselect={false}
            data={(versions?.filter((each) => !each.deleted) ?? [{ version: call.role_version }]).map((each) => ({
              value: String(each.version),
              label: String(each.version),
            }))}
            value={String(again.version)}
            onChange={(next) => set({ version: Number(next), model: again.model === OTHER ? OTHER : '' })}
          />
          <Select
            label={t('roles.model')}
            allowDeselect={false}
            data={[
              { value: '', label: t('replay.whole_chain') },
              ...entries.map((entry) => ({ value: entry, label: entry })),
              { value: OTHER, label: t('replay.other') },
            ]}
            value={again.model}
            onChange={(next) => set({ model: next ?? '' })}
          />
          {again.model === OTHER && (
            <>
              <Select
                label={t('roles.provider')}
                required
                data={providers ?? []}
                value={again.provider || null}
                onChange={(next) => set({ provider: next ?? '' })}
              />
              <TextInput
                label={t('replay.model_name')}
                required
                value={again.name}
                onChange={(event) => set({ name: event.currentTarget.value })}
              />
            </>
          )}
          <ParameterFields
            which="asking"
            unset={t('replay.of_version')}
            parameters={again.parameters}
            onChange={(parameters) => set({ parameters })}
          />
          {names.map((name) => (
            <TextInput
              key={name}
              label={name}
              value={again.variables[name] ?? ''}
              onChange={(event) => set({ variables: { ...again.variables, [name]: event.currentTarget.value } })}
            />
          ))}
          {call.has_originals && may && (
            <Switch
              className={classes.replayWide}
              label={t('replay.originals')}
              description={t('replay.originals_hint')}
              checked={again.originals}
              onChange={(event) => set({ originals: event.currentTarget.checked })}
            />
          )}
          <div className={`row ${classes.replayWide}`}>
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
          </div>
        </form>
        {asking.isPending && <p role="status">{t('try.asking')}</p>}
        {asking.isPending && asking.text && <Block text={asking.text} what={t('calls.answer')} />}
        {asking.error && asking.error.name !== 'AbortError' && !asking.isPending && <Failure error={asking.error} />}
        {asking.data && <Beside call={call} answer={asking.data} originals={again.originals} />}
      </div>
    </section>
  );
}

/** The answer that was recorded, and the new one. */
function Beside({ call, answer, originals }: { call: Call; answer: TryAnswer; originals: boolean }) {
  const { t } = useTranslation();
  const { data: tokens = [] } = useQuery({ ...originalsQuery(call.project_id, call.call_id), enabled: originals });
  const before = withOriginals(readable(call.answer), originals ? tokens : []);
  return (
    <div className={classes.beside}>
      <div>
        <h3>{t('replay.before')}</h3>
        <p className="dim">
          {`${call.model} · ${durationMs(call.latency_ms)} · `}
          <Cost usage={call.usage} />
        </p>
        {call.answer ? <Block text={before} what={t('replay.before')} /> : <p className="dim">{t('calls.no_text')}</p>}
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
