import { queryOptions } from '@tanstack/react-query';
import { get, list, post, put, remove } from './client.ts';
import { type Following, pages } from './pages.ts';
import { Problem } from './problem.ts';
import { ranged } from './ranged.ts';
import type { RoleRef } from './roles.ts';
import type {
  Estimate,
  Experiment,
  ExperimentResults,
  ExperimentSpec,
  Feedback,
  Judging,
  Opinions,
  Page,
  QualityVersion,
  ReplayRequest,
  Role,
  TryAnswer,
  TryRequest,
} from './types.ts';

const callPath = (project: number, call: string) => `/projects/${project}/ai-calls/${encodeURIComponent(call)}`;

/** What people and the judge think of an answer. */
export const opinionsQuery = (project: number, call: string) =>
  queryOptions({
    queryKey: ['opinions', project, call],
    queryFn: ({ signal }) => get<Opinions>(`${callPath(project, call)}/feedback`, undefined, signal),
  });

export const setFeedback = (project: number, call: string, body: { up: boolean; comment: string }) =>
  put<Feedback>(`${callPath(project, call)}/feedback`, body);

export const takeFeedbackBack = (project: number, call: string) => remove(`${callPath(project, call)}/feedback`);

/** How the versions of roles answered in a range of time. */
export const qualityQuery = (project: number, role: string | undefined, following: Following) =>
  ranged<Page<QualityVersion>>({
    ...following,
    kind: 'quality',
    path: `/projects/${project}/ai-quality`,
    query: { role },
  });

export const judgingQuery = list<Judging>('/ai-judging', ['judging']);

export const setJudging = (of: { role: string; version: number; share: number; daily: number }) =>
  put<Judging>(`/ai-judging/${of.role}/${of.version}`, { share: of.share, daily: of.daily });

const base = (project: number) => `/projects/${project}/ai-experiments`;

/** The experiments of a project, newest first. */
export const experimentsQuery = (project: number, pausedAt?: number) =>
  pages<Experiment>({
    project,
    kind: 'experiments',
    path: base(project),
    query: {},
    limit: 50,
    every: 5_000,
    pausedAt,
  });

/** Asks anew while cells are still asked. */
export const experimentQuery = (project: number, id: number) =>
  queryOptions({
    queryKey: ['experiments', project, id],
    queryFn: ({ signal }) => get<ExperimentResults>(`${base(project)}/${id}`, undefined, signal),
    refetchInterval: (query) => query.state.data?.state === 'running' && 1_000,
  });

export const estimateQuery = (project: number, spec: ExperimentSpec) =>
  queryOptions({
    queryKey: ['estimate', project, spec],
    queryFn: () => post<Estimate>(`${base(project)}/estimate`, spec),
    retry: false,
  });

export const startExperiment = (project: number, spec: ExperimentSpec) => post<Experiment>(base(project), spec);
export const cancelExperiment = (project: number, id: number) => post<void>(`${base(project)}/${id}/cancel`);
export const resumeExperiment = (project: number, id: number) => post<void>(`${base(project)}/${id}/resume`);
export const deleteExperiment = (project: number, id: number) => remove(`${base(project)}/${id}`);
export const promoteVariant = (project: number, id: number, variant: number, notes: string) =>
  post<Role>(`${base(project)}/${id}/promote`, { variant, notes });

export const tryRole = (role: RoleRef, project: number, body: Omit<TryRequest, 'stream'>, asked: Asked) =>
  streamed(
    `${role.owner === 0 ? '/ai/roles' : `/orgs/${role.owner}/ai-roles`}/${role.code}/try?project=${project}`,
    body,
    asked,
  );

export const replayCall = (project: number, call: string, body: Omit<ReplayRequest, 'stream'>, asked: Asked) =>
  streamed(`${callPath(project, call)}/replay`, body, asked);

/** Who waits for a streamed answer: told of it as it grows, and able to give it up. */
export interface Asked {
  onText: (whole: string) => void;
  signal: AbortSignal;
}

/** Reads server-sent events: texts as they come, then the whole answer or what is wrong. */
async function streamed(path: string, body: object, { onText, signal }: Asked): Promise<TryAnswer> {
  const response = await fetch(`/api/v1${path}`, {
    method: 'POST',
    headers: { Accept: 'text/event-stream', 'Content-Type': 'application/json' },
    body: JSON.stringify({ ...body, stream: true }),
    credentials: 'same-origin',
    signal,
  });
  if (!response.ok || !response.body) {
    throw new Problem(
      response.status,
      await response.json().catch(() => ({})),
      Number(response.headers.get('Retry-After')) || 0,
    );
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Problem(0, { detail: 'the answer broke off' });
    const { events, left } = readEvents(rest + value);
    rest = left;
    for (const { name, data } of events) {
      if (name === 'text') {
        text += (data as { text: string }).text;
        onText(text);
      } else if (name === 'done') {
        return data as TryAnswer;
      } else {
        const problem = data as { status: number; detail?: string };
        throw new Problem(problem.status, problem);
      }
    }
  }
}

/** The whole events at the beginning of a stream, and what is left of it. */
export function readEvents(stream: string): { events: { name: string; data: unknown }[]; left: string } {
  const parts = stream.split('\n\n');
  const left = parts.pop() ?? '';
  const events = parts.map((part) => ({
    name: /^event: (.*)$/m.exec(part)?.[1] ?? '',
    data: JSON.parse(/^data: (.*)$/m.exec(part)?.[1] ?? 'null') as unknown,
  }));
  return { events, left };
}
