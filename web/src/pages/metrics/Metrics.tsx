import { ActionIcon, Button, Checkbox, Skeleton, Tabs, Tooltip } from '@mantine/core';
import { IconChartLine, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { metadataQuery, metricNamesQuery, promRangeQuery, sentAs } from '../../api/metrics.ts';
import { setupQuery } from '../../api/project.ts';
import { count } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { useProject, useProjectId } from '../../frame/useProject.ts';
import { Chart } from '../../parts/chart/Chart.tsx';
import { Charts } from '../../parts/chart/Charts.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { FirstTelemetry } from '../../parts/FirstTelemetry.tsx';
import { Block } from '../../parts/Mono.tsx';
import { PromField } from '../../parts/metric/PromField.tsx';
import { unitOf } from '../../parts/metric/promql.ts';
import { QueryFault } from '../../parts/metric/QueryFault.tsx';
import { linesOf } from '../../parts/metric/series.ts';
import { Stale } from '../../parts/Stale.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { Browser } from './Browser.tsx';
import classes from './Metrics.module.css';
import { Targets } from './Targets.tsx';
import { Values } from './Values.tsx';

const ROUTE = '/home/projects/$project/metrics';
const LETTERS = ['a', 'b', 'c', 'd', 'e', 'f'] as const;
type Letter = (typeof LETTERS)[number];

/** Any question to the metrics: PromQL over time and at its end, with the metrics there are beside it. */
export function Metrics() {
  const { t } = useTranslation();
  const projectId = useProjectId();
  const project = useProject();
  const navigate = useNavigate();
  const search = useSearch({ from: ROUTE });
  const { a, b, c, d, e, f, off = '', filter = '', tab = 'explore', ...range } = search;
  const texts: Record<Letter, string | undefined> = { a, b, c, d, e, f };
  const [opened, setOpened] = useState<Letter[]>([]);
  const [current, setCurrent] = useState<Letter>('a');
  const names = useQuery(metricNamesQuery(projectId));
  useTitle(t('nav.metrics'), project?.name);
  const letters = LETTERS.filter((l) => l === 'a' || texts[l] || opened.includes(l));
  const set = (next: Partial<Record<Letter | 'off' | 'filter', string | undefined>>) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  const next = LETTERS.find((l) => !letters.includes(l));

  return (
    <div className="page">
      <div className="page-head">
        <h1>{t('nav.metrics')}</h1>
      </div>
      <Tabs
        value={tab}
        keepMounted={false}
        onChange={(next) =>
          void navigate({
            to: '.',
            search: (old) => ({ ...old, tab: next === 'targets' ? 'targets' : undefined, filter: undefined }),
            replace: true,
          })
        }
      >
        <Tabs.List mb={12}>
          <Tabs.Tab value="explore">{t('metrics.explore')}</Tabs.Tab>
          <Tabs.Tab value="targets">{t('targets.title')}</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="explore">
          {names.isError && !names.data ? (
            <section className="panel">
              <Failure error={names.error} retry={() => void names.refetch()} />
            </section>
          ) : names.data?.length === 0 ? (
            <section className="panel">
              <Empty icon={IconChartLine} title={t('metrics.none')}>
                <p>{t('metrics.none_hint')}</p>
                <FirstTelemetry project={projectId} />
                <RemoteWrite project={projectId} />
              </Empty>
            </section>
          ) : (
            <div className={classes.columns}>
              <Browser
                project={projectId}
                filter={filter}
                onFilter={(text) => set({ filter: text || undefined })}
                onChoose={(query) => set({ [letters.includes(current) ? current : 'a']: query })}
              />
              <div className={classes.main}>
                <Answers project={projectId} range={range} texts={texts} off={off}>
                  {(errors) => (
                    <section className={`panel ${classes.queries}`} aria-label={t('metrics.queries')}>
                      {letters.map((l) => (
                        <div
                          key={l}
                          className={classes.query}
                          role="group"
                          aria-label={t('metrics.query', { letter: l.toUpperCase() })}
                          onFocus={() => setCurrent(l)}
                        >
                          <Checkbox
                            label={l.toUpperCase()}
                            aria-label={t('metrics.shown', { letter: l.toUpperCase() })}
                            checked={!off.includes(l)}
                            onChange={() => set({ off: (off.includes(l) ? off.replace(l, '') : off + l) || undefined })}
                          />
                          <div className={classes.text}>
                            <PromField
                              project={projectId}
                              label={t('metrics.query', { letter: l.toUpperCase() })}
                              value={texts[l] ?? ''}
                              wrong={errors[l] !== undefined}
                              onChange={(text) => set({ [l]: text || undefined })}
                            />
                            {errors[l] !== undefined && (
                              <QueryFault query={sentAs(texts[l] ?? '', { range })} error={errors[l]} />
                            )}
                          </div>
                          {l !== 'a' && (
                            <Tooltip label={t('action.delete')}>
                              <ActionIcon
                                variant="subtle"
                                color="gray"
                                aria-label={t('metrics.remove', { letter: l.toUpperCase() })}
                                onClick={() => {
                                  setOpened(opened.filter((o) => o !== l));
                                  set({ [l]: undefined, off: off.replace(l, '') || undefined });
                                }}
                              >
                                <IconTrash size={16} />
                              </ActionIcon>
                            </Tooltip>
                          )}
                        </div>
                      ))}
                      {next && (
                        <Button
                          variant="subtle"
                          size="compact-sm"
                          leftSection={<IconPlus size={15} />}
                          onClick={() => {
                            setOpened([...opened, next]);
                            setCurrent(next);
                          }}
                        >
                          {t('metrics.add')}
                        </Button>
                      )}
                    </section>
                  )}
                </Answers>
              </div>
            </div>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="targets">
          <Targets project={projectId} filter={filter} onFilter={(text) => set({ filter: text || undefined })} />
        </Tabs.Panel>
      </Tabs>
    </div>
  );
}

interface AnswersProps {
  project: number;
  range: Record<string, string | undefined>;
  texts: Record<Letter, string | undefined>;
  off: string;
  /** The queries, given what is wrong with each. */
  children: (errors: Partial<Record<Letter, unknown>>) => React.ReactNode;
}

/** The chart and the values of the queries that are on. */
function Answers({ project, range, texts, off, children }: AnswersProps) {
  const { t } = useTranslation();
  const following = { range, pausedAt: usePausedAt() };
  const on = LETTERS.filter((l) => texts[l] && !off.includes(l));
  const results = useQueries({ queries: on.map((l) => promRangeQuery(project, texts[l] ?? '', following)) });
  const { data: said } = useQuery(metadataQuery(project));
  const errors = Object.fromEntries(on.map((l, i) => [l, results[i]?.error ?? undefined]));
  const answers = results.map((r) => r.data);
  const key = on.join() + results.map((r) => r.dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: key stands for the answers
  const drawn = useMemo(
    () =>
      linesOf(
        on.flatMap((l, i) => {
          const answer = answers[i];
          return answer ? [{ letter: on.length > 1 ? l.toUpperCase() : undefined, answer }] : [];
        }),
      ),
    [key],
  );
  const units = new Set(on.map((l) => unitOf(texts[l] ?? '', (metric) => said?.[metric]?.[0]?.unit)));
  const [unit = 'number'] = units.size === 1 ? units : [];
  const remarks = [...new Set(answers.flatMap((answer) => answer?.remarks ?? []))];
  const failed = results.find((r) => r.isError && r.data);
  const step = answers.find((answer) => answer)?.step;
  return (
    <>
      {children(errors)}
      {failed && <Stale query={failed} />}
      {on.length === 0 ? (
        <p className="dim">{t('metrics.ask')}</p>
      ) : results.every((r) => r.isPending) ? (
        <Skeleton height={360} />
      ) : drawn.total + drawn.histograms === 0 ? (
        results.some((r) => r.data) && (
          <section className="panel">
            <Empty icon={IconChartLine} title={t('metrics.no_series')}>
              <p>{t('metrics.no_series_hint')}</p>
            </Empty>
          </section>
        )
      ) : (
        <>
          <div aria-live="polite">
            {drawn.total > drawn.lines.length && (
              <p className="note">{t('metrics.capped', { total: count(drawn.total), shown: drawn.lines.length })}</p>
            )}
            {drawn.histograms > 0 && <p className="note">{t('metrics.histograms', { count: drawn.histograms })}</p>}
            {remarks.map((remark) => (
              <p key={remark} className="note">
                {remark}
              </p>
            ))}
          </div>
          {drawn.lines.length > 0 && (
            <Charts>
              <Chart
                title={t('metrics.over_time', { step: step ?? 0 })}
                unit={unit}
                at={drawn.at}
                lines={drawn.lines}
                height={300}
              />
            </Charts>
          )}
          <Values
            project={project}
            queries={on.map((l) => ({ letter: l.toUpperCase(), text: texts[l] ?? '' }))}
            following={following}
            unit={unit}
          />
        </>
      )}
    </>
  );
}

/** What a Prometheus or an agent needs to send here. */
function RemoteWrite({ project }: { project: number }) {
  const { t } = useTranslation();
  const { data: setup } = useQuery(setupQuery(project));
  if (!setup) return null;
  const lines = [
    'remote_write:',
    `  - url: ${setup.otlp_http}/api/v1/write`,
    '    authorization:',
    `      credentials: ${t('first.key')}`,
  ].join('\n');
  return (
    <div>
      <p>
        <Trans t={t} i18nKey="metrics.remote_write" components={{ file: <code /> }} />
      </p>
      <Block text={lines} what="remote_write" />
    </div>
  );
}
