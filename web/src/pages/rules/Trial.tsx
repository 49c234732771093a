import { Button, Loader } from '@mantine/core';
import { IconCircleCheck, IconExternalLink, IconPlayerPlay, IconTargetArrow } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { tryRule } from '../../api/rules.ts';
import type { AlarmKind, RuleTrial } from '../../api/types.ts';
import { absolute, short } from '../../format/time.ts';
import { dayName } from '../../parts/Weekdays.tsx';
import type { Draft } from './draft.ts';
import classes from './Rules.module.css';
import { measured } from './words.ts';

/** How many times are listed; the strip shows all. */
const LISTED = 50;

interface Props {
  project: number;
  draft: Draft;
  kind: AlarmKind | undefined;
}

/** Tries the rule, as it stands in the form, on the telemetry of the last seven days. */
export function Trial({ project, draft, kind }: Props) {
  const { t } = useTranslation();
  const running = useRef<AbortController>(undefined);
  const tried = useMutation({
    mutationFn: (rule: Draft) => {
      running.current?.abort();
      running.current = new AbortController();
      // A rule that is off, or has no name yet, can be tried as well.
      return tryRule(project, { ...rule, name: rule.name || rule.kind, enabled: true }, running.current.signal);
    },
  });
  useEffect(() => () => running.current?.abort(), []);
  const { data, isPending, variables } = tried;
  const problem = tried.error && !running.current?.signal.aborted ? asProblem(tried.error) : undefined;
  const changed = data && counted(variables) !== counted(draft);
  return (
    <section className={classes.trial} aria-label={t('rules.trial.title')} aria-busy={isPending}>
      <div className={classes.trialHead}>
        <Button
          variant="default"
          leftSection={isPending ? <Loader size={14} /> : <IconPlayerPlay size={15} />}
          disabled={isPending}
          onClick={() => tried.mutate(draft)}
        >
          {t('rules.trial.run')}
        </Button>
        {isPending ? <Running /> : !data && !problem && <span className="soft">{t('rules.trial.means')}</span>}
        {changed && !isPending && <span className="soft">{t('rules.trial.changed')}</span>}
      </div>
      {problem && !isPending && (
        <p className={classes.fault} role="alert">
          {problem.detail || t(`problem.${problem.reason}.what`)}
        </p>
      )}
      {data && !isPending && (
        <div data-stale={changed || undefined} className={classes.trialled}>
          <Outcome project={project} trial={data} draft={variables ?? draft} kind={kind} />
        </div>
      )}
    </section>
  );
}

/** What of a rule decides about when it fires. */
const counted = (draft: Draft | undefined) =>
  draft &&
  JSON.stringify([
    draft.kind,
    draft.params,
    draft.count,
    draft.window_minutes,
    draft.quiet_minutes,
    draft.service,
    draft.environment,
    draft.mutes,
  ]);

function Running() {
  const { t } = useTranslation();
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((s) => s + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className="soft" role="status">
      {t('rules.trial.running', { seconds })}
    </span>
  );
}

function Outcome({ project, trial, draft, kind }: { trial: RuleTrial; draft: Draft } & Omit<Props, 'draft'>) {
  const { t } = useTranslation();
  const fired = trial.fired ?? [];
  const total = trial.total;
  const unit = unitOf(kind);
  const unitWord = unit && t(`rules.unit.${unit as 'min'}`, unit);
  return (
    <>
      <p className={classes.verdict} role="status">
        {fired.length === 0 ? (
          <IconCircleCheck size={17} color="var(--mx-ok)" aria-hidden />
        ) : (
          <IconTargetArrow size={17} color="var(--mx-warning)" aria-hidden />
        )}
        <strong>
          {fired.length === 0
            ? t('rules.trial.never')
            : t(total === 1 ? 'rules.trial.fired_once' : 'rules.trial.fired', { times: total.toLocaleString('en-US') })}
        </strong>
        <span className="soft">
          {trial.matches === 0
            ? t('rules.trial.no_matches')
            : t(kind?.minutes ? 'rules.trial.minutes' : 'rules.trial.matches', {
                matches: trial.matches.toLocaleString('en-US'),
              })}
        </span>
      </p>
      {!trial.complete && <p className="soft">{t('rules.trial.incomplete')}</p>}
      <Strip trial={trial} />
      {fired.length > 0 && (
        <div className={classes.trialList}>
          <table className="table">
            <thead>
              <tr>
                <th>{t('rules.trial.when')}</th>
                <th>{t('rules.column.where')}</th>
                <th>{t('rules.trial.what')}</th>
                <th className="num">{t(kind?.minutes ? 'rules.trial.minutes_counted' : 'rules.trial.counted')}</th>
                <th className="num">{t('rules.trial.worst')}</th>
                <th aria-label={t('rules.trial.look')} />
              </tr>
            </thead>
            <tbody>
              {fired.slice(0, LISTED).map((f) => (
                <tr key={`${f.from} ${f.service} ${f.phase} ${f.subject}`}>
                  <td className="nowrap">
                    <time dateTime={f.from} title={`${absolute(f.from)} – ${absolute(f.to)}`}>
                      {short(f.from, Date.now())}
                    </time>
                  </td>
                  <td>{[f.service, f.phase].filter(Boolean).join(' · ')}</td>
                  <td className={classes.subject} title={f.subject}>
                    {f.subject}
                  </td>
                  <td className="num">{f.count.toLocaleString('en-US')}</td>
                  <td className="num">
                    {measured(Number(f.value.toPrecision(4)), unitWord)}
                    {Boolean(f.usual) && (
                      <div className="dim">
                        {t('rules.trial.usual', {
                          value: measured(Number((f.usual ?? 0).toPrecision(4)), unitWord),
                        })}
                      </div>
                    )}
                  </td>
                  <td className="num">
                    <Link
                      to={kind?.group === 'logs' ? '/projects/$project/logs' : '/projects/$project/transactions'}
                      params={{ project: String(project) }}
                      search={{
                        ...around(f.from, f.to),
                        ...(kind?.group !== 'logs' && { service: f.service || draft.service || undefined }),
                      }}
                      target="_blank"
                      className="row"
                    >
                      {t(kind?.group === 'logs' ? 'nav.logs' : 'nav.transactions')}
                      <IconExternalLink size={13} aria-hidden />
                    </Link>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {total > LISTED && <p className="dim">{t('rules.trial.more', { more: total - LISTED })}</p>}
        </div>
      )}
    </>
  );
}

// Kinds whose values are not in the unit of their first number.
const MEASURED_IN: Record<string, string> = { throughput: 'per_minute', slo_burn: 'times', apdex: '' };

/** The unit of what a kind measures. */
const unitOf = (kind: AlarmKind | undefined) =>
  MEASURED_IN[kind?.name ?? ''] ?? kind?.params.find((p) => p.type === 'number')?.unit ?? '';

/** A time with a little before and after it. */
const around = (from: string, to: string) => ({
  from: new Date(Date.parse(from) - 5 * 60_000).toISOString(),
  to: new Date(Date.parse(to) + 5 * 60_000).toISOString(),
});

/** The days of the trial, each time the rule would have fired as a mark on them. */
function Strip({ trial }: { trial: RuleTrial }) {
  const { t, i18n } = useTranslation();
  const [begin, end] = [Date.parse(trial.from), Date.parse(trial.to)];
  const share = (at: number) => `${Math.min(Math.max(((at - begin) / (end - begin)) * 100, 0), 100)}%`;
  const days: Date[] = [];
  for (let day = midnightAfter(begin); day.getTime() < end; day = midnightAfter(day.getTime())) days.push(day);
  return (
    <div
      className={classes.strip}
      role="img"
      aria-label={t('rules.trial.strip', {
        times: (trial.fired ?? []).length,
        from: absolute(begin),
        to: absolute(end),
      })}
    >
      {days.map((day) => (
        <span key={day.getTime()} className={classes.day} style={{ left: share(day.getTime()) }}>
          {`${dayLabel(day, i18n.language)} ${day.getDate()}`}
        </span>
      ))}
      {(trial.fired ?? []).map((f) => (
        <i
          key={`${f.from} ${f.service} ${f.phase} ${f.subject}`}
          style={{
            left: share(Date.parse(f.from)),
            width: `max(3px, calc(${share(Date.parse(f.to))} - ${share(Date.parse(f.from))}))`,
          }}
        />
      ))}
    </div>
  );
}

const dayLabel = (day: Date, language: string) => dayName(day.getDay(), language);

/** The first midnight of the reader's zone after a moment. */
function midnightAfter(at: number): Date {
  const day = new Date(at);
  day.setHours(24, 0, 0, 0);
  return day;
}
