import {
  ActionIcon,
  Button,
  Checkbox,
  MultiSelect,
  NumberInput,
  Select,
  Switch,
  TagsInput,
  Textarea,
  TextInput,
} from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconChevronRight, IconPlayerPlay, IconPlus, IconTrash } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { callsQuery } from '../../api/calls.ts';
import { asProblem, Problem } from '../../api/problem.ts';
import { estimateQuery, startExperiment } from '../../api/quality.ts';
import { chainProvidersQuery, roleHistoryQuery, rolesQuery } from '../../api/roles.ts';
import { meQuery } from '../../api/session.ts';
import type { ExperimentSpec, SpecModel } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { count, dollars } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Failure } from '../../parts/Failure.tsx';
import { useEditsRoles } from '../../parts/OwnerSelect.tsx';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { variablesOf } from '../role/variables.ts';
import classes from './Playground.module.css';
import { numbers, variantName } from './variant.ts';

/** What an experiment asks, and what that would cost, before it begins. */
export function NewExperiment() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { data: me } = useQuery(meQuery);
  const org = useProject()?.org_id ?? 0;
  const plays = useEditsRoles(org);
  useTitle(t('playground.add'), t('nav.playground'));
  return (
    <div className="page">
      <div className={classes.crumbs}>
        <Link to="/projects/$project/playground" params={{ project: String(project) }}>
          {t('nav.playground')}
        </Link>
        <IconChevronRight size={14} aria-hidden />
      </div>
      <div className="page-head">
        <h1>{t('playground.add')}</h1>
      </div>
      {me && !plays ? <Failure error={new Problem(403)} /> : me && <Form project={project} org={org} />}
    </div>
  );
}

function Form({ project, org }: { project: number; org: number }) {
  const { t, i18n } = useTranslation();
  const navigate = useNavigate();
  const { data: me } = useQuery(meQuery);
  const asked = useSearch({ from: '/home/projects/$project/playground/new' });
  const { data: roles } = useQuery(rolesQuery(org)); // its own before the installation's of the same code
  const [name, setName] = useState('');
  const [role, setRole] = useState(asked.role ?? '');
  const chosenRole = roles?.find((each) => each.code === role);
  const mayRead = chosenRole !== undefined && (chosenRole.owner !== 0 || me?.user.system === true);
  const { data: known } = useQuery({
    ...roleHistoryQuery({ owner: chosenRole?.owner ?? 0, code: role }),
    enabled: mayRead,
  });
  // Of a role of the installation an organisation sees what is in production.
  const history = mayRead || !chosenRole ? known : [{ ...chosenRole, deleted: false }];
  const [versions, setVersions] = useState<string[]>([]);
  const [models, setModels] = useState<SpecModel[]>([]);
  const [temperatures, setTemperatures] = useState<string[]>([]);
  const [topPs, setTopPs] = useState<string[]>([]);
  const [calls, setCalls] = useState<string[]>(asked.calls ? asked.calls.split(',') : []);
  const [texts, setTexts] = useState<string[]>([]);
  const [repeats, setRepeats] = useState<number | string>(1);
  const [ground, setGround] = useState(true);
  const [maxCost, setMaxCost] = useState<number | string>('');
  const [variables, setVariables] = useState<Record<string, string>>({});
  const chosen = versions.length > 0 ? versions.map(Number) : [history?.find((each) => !each.deleted)?.version ?? 0];
  const names = [
    ...new Set(
      (history ?? [])
        .filter((each) => chosen.includes(each.version))
        .flatMap((each) => variablesOf(each.system_message)),
    ),
  ];
  const given = names.length > 0 ? Object.fromEntries(names.map((each) => [each, variables[each] ?? ''])) : undefined;
  const spec: ExperimentSpec = {
    name,
    role,
    versions: versions.length > 0 || mayRead ? versions.map(Number) : chosen.filter((each) => each > 0),
    models: models.filter((each) => each.provider && each.model),
    temperatures: numbers(temperatures),
    top_ps: numbers(topPs),
    inputs: [
      ...calls.map((call_id) => ({ call_id, variables: given })),
      ...texts.filter((each) => each.trim()).map((message) => ({ message, variables: given })),
    ],
    repeats: Number(repeats) || 1,
    language: i18n.language.startsWith('ko') ? 'ko' : 'en',
    ground,
    max_cost_usd: Number(maxCost) || undefined,
  };
  const start = useChange(() => startExperiment(project, spec), {
    refresh: ['experiments', project],
    onDone: (made) =>
      void navigate({
        to: '/projects/$project/playground/$experiment',
        params: { project: String(project), experiment: String(made.id) },
      }),
  });
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        start.mutate(undefined);
      }}
    >
      <div className={`panel form ${classes.fields}`}>
        <TextInput
          label={t('playground.name')}
          placeholder={role}
          maxLength={200}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Select
          label={t('calls.column.role')}
          required
          searchable
          allowDeselect={false}
          data={(roles ?? [])
            .filter((each, i, all) => all.findIndex((other) => other.code === each.code) === i)
            .map((each) => ({
              value: each.code,
              label: each.name ? `${each.name} (${each.code})` : each.code,
            }))}
          value={role || null}
          onChange={(next) => {
            setRole(next ?? '');
            setVersions([]);
            setCalls([]);
          }}
        />
        <div className={classes.axes}>
          <MultiSelect
            label={t('playground.versions')}
            placeholder={versions.length > 0 ? undefined : t('playground.latest')}
            maxValues={10}
            disabled={!role}
            data={(history ?? []).filter((each) => !each.deleted).map((each) => String(each.version))}
            value={versions}
            onChange={setVersions}
          />
          <TagsInput
            label={t('roles.parameter.temperature')}
            placeholder={temperatures.length > 0 ? undefined : t('playground.of_version')}
            description={t('playground.values_hint')}
            maxTags={10}
            value={temperatures}
            onChange={(next) => setTemperatures(numbers(next).map(String))}
          />
          <TagsInput
            label={t('roles.parameter.top_p')}
            placeholder={topPs.length > 0 ? undefined : t('playground.of_version')}
            description={t('playground.values_hint')}
            maxTags={10}
            value={topPs}
            onChange={(next) => setTopPs(numbers(next).map(String))}
          />
        </div>
        <Models org={org} models={models} onChange={setModels} />
        {names.map((each) => (
          <TextInput
            key={each}
            label={t('playground.variable', { name: each })}
            value={variables[each] ?? ''}
            onChange={(event) => {
              const value = event.currentTarget.value;
              setVariables((old) => ({ ...old, [each]: value }));
            }}
          />
        ))}
        <Recorded project={project} role={role} chosen={calls} onChange={setCalls} />
        <fieldset className={classes.group}>
          <legend>{t('playground.texts')}</legend>
          {texts.map((each, i) => (
            <Textarea
              // biome-ignore lint/suspicious/noArrayIndexKey: a text is its place in the list
              key={i}
              aria-label={t('playground.text', { number: i + 1 })}
              autosize
              minRows={3}
              maxRows={12}
              value={each}
              onChange={(event) => {
                const value = event.currentTarget.value;
                setTexts(texts.map((old, j) => (i === j ? value : old)));
              }}
            />
          ))}
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<IconPlus size={14} />}
            disabled={texts.length + calls.length >= 50}
            onClick={() => setTexts([...texts, ''])}
          >
            {t('playground.add_text')}
          </Button>
        </fieldset>
        <div className={classes.axes}>
          <NumberInput
            label={t('playground.repeats')}
            min={1}
            max={10}
            allowDecimal={false}
            value={repeats}
            onChange={setRepeats}
          />
          <NumberInput
            label={t('playground.max_cost')}
            placeholder={t('playground.no_max_cost')}
            prefix="$"
            min={0}
            decimalScale={4}
            value={maxCost}
            onChange={setMaxCost}
          />
        </div>
        <Switch
          label={t('playground.ground')}
          description={t('playground.ground_hint')}
          checked={ground}
          onChange={(event) => setGround(event.currentTarget.checked)}
        />
      </div>
      <Estimated project={project} spec={spec} busy={start.isPending} />
    </form>
  );
}

interface ModelsProps {
  org: number;
  models: SpecModel[];
  onChange: (next: SpecModel[]) => void;
}

function Models({ org, models, onChange }: ModelsProps) {
  const { t } = useTranslation();
  const { data: providers = [] } = useQuery(chainProvidersQuery(org));
  const set = (i: number, part: Partial<SpecModel>) =>
    onChange(models.map((each, j) => (i === j ? { ...each, ...part } : each)));
  return (
    <fieldset className={classes.group}>
      <legend>{t('playground.models')}</legend>
      {models.length === 0 && <span className="dim">{t('playground.no_models')}</span>}
      {models.map((each, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a model is its place in the list
        <div key={i} className={classes.models}>
          <Select
            aria-label={t('roles.provider')}
            allowDeselect={false}
            data={providers}
            value={each.provider || null}
            onChange={(provider) => set(i, { provider: provider ?? '' })}
          />
          <TextInput
            aria-label={t('roles.model')}
            placeholder={t('roles.model')}
            required
            value={each.model}
            onChange={(event) => set(i, { model: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={t('action.delete')}
            onClick={() => onChange(models.filter((_, j) => i !== j))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      <Button
        variant="default"
        size="compact-xs"
        leftSection={<IconPlus size={14} />}
        disabled={providers.length === 0 || models.length >= 10}
        onClick={() => onChange([...models, { provider: providers[0] ?? '', model: '' }])}
      >
        {t('roles.add_model')}
      </Button>
    </fieldset>
  );
}

interface RecordedProps {
  project: number;
  role: string;
  chosen: string[];
  onChange: (next: string[]) => void;
}

/** The recorded calls of the role, to be asked again with their masked messages. */
function Recorded({ project, role, chosen, onChange }: RecordedProps) {
  const { t } = useTranslation();
  const { range, from, to } = useSearch({ from: '/home/projects/$project/playground/new' });
  const following = { range: { range, from, to }, pausedAt: usePausedAt() };
  const list = useInfiniteQuery({ ...callsQuery(project, { role }, following), enabled: role !== '' });
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const other = chosen.filter((id) => !items.some((each) => each.call_id === id));
  if (!role) return null;
  return (
    <fieldset className={classes.group}>
      <legend>{t('playground.recorded', { count: chosen.length })}</legend>
      <p className="dim">{t('replay.masked')}</p>
      {items.length === 0 && other.length === 0 ? (
        <p className="dim">{t('playground.no_recorded')}</p>
      ) : (
        <div className={classes.calls}>
          <table className="table">
            <tbody>
              {[
                ...other.map((id) => ({ id, call: undefined })),
                ...items.map((call) => ({ id: call.call_id, call })),
              ].map(({ id, call }) => (
                <tr key={id}>
                  <td>
                    <Checkbox
                      size="xs"
                      label={
                        call ? call.caller_ref || call.caller_name || call.caller_kind : <code>{id.slice(0, 12)}</code>
                      }
                      checked={chosen.includes(id)}
                      onChange={(event) =>
                        onChange(event.currentTarget.checked ? [...chosen, id] : chosen.filter((each) => each !== id))
                      }
                    />
                  </td>
                  <td>{call && <When at={call.at} />}</td>
                  <td>{call && `v${call.role_version} · ${call.model}`}</td>
                  <td className="num">{call && durationMs(call.latency_ms)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {list.hasNextPage && (
        <Button
          variant="subtle"
          size="compact-xs"
          loading={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {t('list.more')}
        </Button>
      )}
    </fieldset>
  );
}

/** How many calls it would be and what they would cost; what a model does not take is told here. */
function Estimated({ project, spec, busy }: { project: number; spec: ExperimentSpec; busy: boolean }) {
  const { t } = useTranslation();
  const [settled] = useDebouncedValue(spec, 400);
  const ready = settled.role !== '' && settled.inputs.length > 0;
  const { data, error } = useQuery({ ...estimateQuery(project, settled), enabled: ready });
  const words = {
    version: t('labels.version'),
    temperature: t('roles.parameter.temperature'),
    top_p: t('roles.parameter.top_p'),
  };
  const dropped = data?.variants.filter((each) => each.dropped.length > 0) ?? [];
  const problem = error ? asProblem(error) : undefined;
  return (
    <aside className={`panel ${classes.estimate}`} aria-live="polite">
      <h2>{t('playground.estimate')}</h2>
      {!ready && <p className="dim">{t('playground.not_ready')}</p>}
      {ready && problem && <p className={classes.wrong}>{problem.detail || problem.title}</p>}
      {ready && data && !problem && (
        <>
          <dl>
            <dt>{t('playground.variants')}</dt>
            <dd>{data.variants.length}</dd>
            <dt>{t('playground.inputs')}</dt>
            <dd>{settled.inputs.length}</dd>
            <dt>{t('playground.cells')}</dt>
            <dd>{t('playground.of_most', { cells: data.cells, most: data.max_cells })}</dd>
            <dt>{t('calls.column.input')}</dt>
            <dd>{count(data.input_tokens)}</dd>
            <dt>{t('playground.output_most')}</dt>
            <dd>{count(data.output_tokens)}</dd>
            <dt>{t('calls.column.cost')}</dt>
            <dd>{dollars(data.cost_usd) ?? t('playground.cost_unknown')}</dd>
          </dl>
          {data.unpriced.length > 0 && (
            <p className={classes.warn}>{t('playground.unpriced', { models: data.unpriced.join(', ') })}</p>
          )}
          {dropped.length > 0 && (
            <>
              <p className={classes.warn}>{t('playground.dropped')}</p>
              <ul className={classes.warn}>
                {dropped.map((each) => (
                  <li key={variantName(each, words).join()}>
                    {`${variantName(each, words).join(' · ')}: ${each.dropped.map((what) => t(`roles.parameter.${what as 'top_p'}`, what)).join(', ')}`}
                  </li>
                ))}
              </ul>
            </>
          )}
        </>
      )}
      <Button
        type="submit"
        loading={busy}
        disabled={
          !ready ||
          !data ||
          problem !== undefined ||
          (settled !== spec && JSON.stringify(settled) !== JSON.stringify(spec))
        }
        leftSection={<IconPlayerPlay size={15} />}
      >
        {t('playground.start')}
      </Button>
    </aside>
  );
}
