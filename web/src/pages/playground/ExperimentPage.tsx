import { Button, Progress, Skeleton } from '@mantine/core';
import {
  IconChevronRight,
  IconDownload,
  IconPlayerPlay,
  IconPlayerStop,
  IconThumbDown,
  IconThumbUp,
  IconTrash,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Problem } from '../../api/problem.ts';
import { cancelExperiment, deleteExperiment, experimentQuery, resumeExperiment } from '../../api/quality.ts';
import { meQuery } from '../../api/session.ts';
import type { ExperimentAnswer, ExperimentResults } from '../../api/types.ts';
import { csv } from '../../format/csv.ts';
import { durationMs } from '../../format/duration.ts';
import { dollars } from '../../format/number.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { useEditsRoles } from '../../parts/OwnerSelect.tsx';
import { save } from '../../parts/save.ts';
import { useChange } from '../../parts/useChange.ts';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { Compare } from './Compare.tsx';
import { ExperimentState } from './ExperimentState.tsx';
import classes from './Playground.module.css';
import { Variants } from './Variants.tsx';
import { variantName } from './variant.ts';

const ROUTE = '/home/projects/$project/playground/$experiment';

/** An experiment while it runs and afterwards: its variants added up, every answer, and two of them side by side. */
export function ExperimentPage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const id = Number(useParams({ from: ROUTE }).experiment);
  const { data: me } = useQuery(meQuery);
  const plays = useEditsRoles(useProject()?.org_id);
  const query = useQuery({ ...experimentQuery(project, id), enabled: plays });
  useTitle(query.data?.name ?? `#${id}`, t('nav.playground'));
  const problem = me && !plays ? new Problem(403) : query.error;
  if (problem && !query.data) {
    return (
      <div className="page">
        <Failure error={problem} retry={problem === query.error ? () => void query.refetch() : undefined} />
      </div>
    );
  }
  if (!query.data) {
    return (
      <div className="page" aria-busy>
        <Skeleton height={20} width={120} mb={10} />
        <Skeleton height={26} width="36%" mb={14} />
        <Skeleton height={420} />
      </div>
    );
  }
  return <Loaded project={project} results={query.data} />;
}

function Loaded({ project, results }: { project: number; results: ExperimentResults }) {
  const { t } = useTranslation();
  const params = { project: String(project) };
  return (
    <div className="page">
      <div className={classes.crumbs}>
        <Link to="/projects/$project/playground" params={params}>
          {t('nav.playground')}
        </Link>
        <IconChevronRight size={14} aria-hidden />
        <span>{`#${results.id}`}</span>
      </div>
      <div className="page-head">
        <h1>{results.name}</h1>
        <Actions project={project} results={results} />
      </div>
      <div className={classes.progress}>
        <ExperimentState state={results.state} />
        <Progress
          className={classes.bar}
          value={(100 * results.finished) / Math.max(results.cells, 1)}
          aria-label={t('playground.cells')}
        />
        <span role="status">
          {t('playground.progress', { finished: results.finished, cells: results.cells })}
          {results.failed > 0 && ` · ${t('playground.failed', { failed: results.failed })}`}
        </span>
        <span className="dim">
          <code>{results.role}</code> {results.created_by} <When at={results.created_at} />
        </span>
      </div>
      {results.reason && <p className={classes.warn}>{t('playground.stopped_because', { reason: results.reason })}</p>}
      <Variants project={project} results={results} />
      <Grid results={results} />
      <Compare project={project} results={results} />
    </div>
  );
}

function Actions({ project, results }: { project: number; results: ExperimentResults }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const refresh = ['experiments', project];
  const cancel = useChange(() => cancelExperiment(project, results.id), { refresh });
  const resume = useChange(() => resumeExperiment(project, results.id), { refresh });
  const removal = useChange(() => deleteExperiment(project, results.id), {
    refresh,
    done: t('playground.deleted'),
    onDone: () => void navigate({ to: '/projects/$project/playground', params: { project: String(project) } }),
  });
  const running = results.state === 'running';
  return (
    <>
      {running && (
        <Button
          variant="default"
          leftSection={<IconPlayerStop size={15} />}
          loading={cancel.isPending}
          onClick={() => cancel.mutate(undefined)}
        >
          {t('playground.cancel')}
        </Button>
      )}
      {!running && (results.finished < results.cells || results.failed > 0) && (
        <Button
          variant="default"
          leftSection={<IconPlayerPlay size={15} />}
          loading={resume.isPending}
          onClick={() => resume.mutate(undefined)}
        >
          {t('playground.resume')}
        </Button>
      )}
      <Button
        variant="default"
        leftSection={<IconDownload size={15} />}
        onClick={() => save(table(results), 'text/csv', `experiment-${results.id}`, 'csv')}
      >
        {'CSV'}
      </Button>
      <Button variant="default" leftSection={<IconTrash size={15} />} onClick={() => setAsking(true)}>
        {t('action.delete')}
      </Button>
      <Confirm
        opened={asking}
        title={t('playground.delete_title', { name: results.name })}
        verb={t('action.delete')}
        danger
        busy={removal.isPending}
        onClose={() => setAsking(false)}
        onConfirm={() => {
          setAsking(false);
          removal.mutate(undefined);
        }}
      >
        {t('playground.delete_means')}
      </Confirm>
    </>
  );
}

/** Every cell as a row, for a spreadsheet; the names of columns are those of the API. */
function table(results: ExperimentResults): string {
  const head =
    'number,input,version,provider,model,temperature,top_p,state,valid,grounded,latency_ms,input_tokens,output_tokens,cost_usd,thumbs_up,thumbs_down,dropped,unstated,error,call_id,answer';
  const rows = results.answers.map((a) => {
    const v = results.variants[a.variant];
    const o = a.outcome;
    const or = (value: unknown) =>
      value === undefined || value === null ? '' : typeof value === 'number' ? value : String(value);
    return [
      a.number,
      results.inputs[a.input]?.title ?? '',
      or(v?.version),
      or(v?.provider),
      or(o?.model || v?.model),
      or(v?.temperature),
      or(v?.top_p),
      a.state,
      or(o?.valid),
      or(o?.grounded),
      or(o?.latency_ms),
      or(o?.usage.input_tokens),
      or(o?.usage.output_tokens),
      or(o?.usage.cost_usd),
      a.thumbs.up,
      a.thumbs.down,
      or(o?.dropped?.join(' ')),
      or(o?.unstated?.join('; ')),
      or(o?.error),
      or(o?.call_id),
      or(o?.answer),
    ];
  });
  return csv([head.split(','), ...rows]);
}

/** Inputs down, variants across; a cell that is pressed is compared. */
function Grid({ results }: { results: ExperimentResults }) {
  const { t } = useTranslation();
  const words = {
    version: t('labels.version'),
    temperature: t('roles.parameter.temperature'),
    top_p: t('roles.parameter.top_p'),
  };
  return (
    <section className={classes.section}>
      <h2>{t('playground.answers')}</h2>
      <p className="soft">{t('playground.answers_hint')}</p>
      <div className="panel scroll-x">
        <table className={`table ${classes.grid}`}>
          <thead>
            <tr>
              <th>{t('playground.input')}</th>
              {results.variants.map((v) => (
                <th key={variantName(v, words).join()}>{variantName(v, words).join(' · ')}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {results.inputs.map((input, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: an input is its place in the experiment
              <tr key={i}>
                <td>
                  <strong>{input.title}</strong>
                  <div className={`dim ${classes.cellText}`}>{input.message.slice(0, 200)}</div>
                </td>
                {results.variants.map((v, j) => (
                  <td key={variantName(v, words).join()}>
                    {results.answers
                      .filter((a) => a.input === i && a.variant === j)
                      .map((a) => (
                        <Cell key={a.number} answer={a} />
                      ))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Cell({ answer }: { answer: ExperimentAnswer }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const { left, right } = useSearch({ from: ROUTE });
  const o = answer.outcome;
  if (!o) {
    return (
      <div className={classes.cell} data-waiting>
        {t('playground.waiting')}
      </div>
    );
  }
  const chosen = answer.number === left || answer.number === right;
  const next = () => {
    if (answer.number === left) return { left: right, right: undefined };
    if (answer.number === right) return { left, right: undefined };
    return left === undefined ? { left: answer.number, right } : { left, right: answer.number };
  };
  return (
    <button
      type="button"
      className={classes.cell}
      aria-pressed={chosen}
      onClick={() =>
        void navigate({ to: '.', search: (old) => ({ ...old, ...next() }), replace: true, resetScroll: false })
      }
    >
      <span className={classes.cellFacts}>
        {answer.state === 'failed' && <strong className={classes.wrong}>{t('playground.cell_failed')}</strong>}
        {o.valid !== null && <span>{t(o.valid ? 'playground.valid' : 'playground.invalid')}</span>}
        {o.grounded !== null && <span>{t(o.grounded ? 'playground.grounded' : 'playground.ungrounded')}</span>}
        <span>{durationMs(o.latency_ms)}</span>
        <span>{dollars(o.usage.cost_usd) ?? t('calls.no_cost')}</span>
        {answer.thumbs.up > 0 && (
          <span>
            <IconThumbUp size={12} role="img" aria-label={t('opinion.up')} /> {answer.thumbs.up}
          </span>
        )}
        {answer.thumbs.down > 0 && (
          <span>
            <IconThumbDown size={12} role="img" aria-label={t('opinion.down')} /> {answer.thumbs.down}
          </span>
        )}
      </span>
      {o.dropped.length > 0 && (
        <span className={classes.left}>{t('calls.dropped', { names: o.dropped.join(', ') })}</span>
      )}
      <span className={classes.cellText}>{o.answer || o.error}</span>
    </button>
  );
}
