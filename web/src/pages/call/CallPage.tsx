import { Skeleton, Switch } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { callQuery, originalsQuery } from '../../api/calls.ts';
import { meQuery } from '../../api/session.ts';
import type { Call } from '../../api/types.ts';
import { duration, durationMs } from '../../format/duration.ts';
import { count } from '../../format/number.ts';
import { absolute } from '../../format/time.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Copy } from '../../parts/Copy.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Block } from '../../parts/Mono.tsx';
import head from '../../parts/ObjectHead.module.css';
import { Opinion } from '../../parts/Opinion.tsx';
import { ownersOf } from '../../parts/OwnerSelect.tsx';
import { useTitle } from '../../parts/useTitle.ts';
import { When } from '../../parts/When.tsx';
import { About } from '../calls/About.tsx';
import { Cost } from '../calls/Cost.tsx';
import { Outcome } from '../calls/Outcome.tsx';
import { roleLink } from '../role/standing.ts';
import { setParameters } from '../roles/parameters.ts';
import { Attempts } from './Attempts.tsx';
import classes from './Call.module.css';
import { withOriginals } from './originals.ts';
import { Replay } from './Replay.tsx';
import { answerTexts } from './readable.ts';

const ROUTE = '/home/projects/$project/ai-calls/$call';

/** One call of a model: what was asked in which role, what was tried, and what came back. */
export function CallPage() {
  const { t } = useTranslation();
  const project = useProjectId();
  const { call: id } = useParams({ from: ROUTE });
  const { data: call, error, refetch } = useQuery(callQuery(project, id));
  const [open, setOpen] = useState(false);
  const originals = useQuery({ ...originalsQuery(project, id), enabled: open });
  useTitle(call?.role ?? id.slice(0, 8), t('nav.calls'));

  if (error && !call) {
    return (
      <div className="page">
        <Failure error={error} retry={() => void refetch()} />
      </div>
    );
  }
  if (!call) return <Waiting />;
  const tokens = (open && originals.data) || [];
  const { answer, given } = answerTexts(call.answer, call.parsed);
  const texts = [
    [t('calls.system'), call.system],
    [t('calls.message'), call.message],
    [t('calls.answer'), answer],
    ...(given === undefined ? [] : [[t('calls.answer_given'), given] as const]),
  ] as const;
  return (
    <div className="page">
      <Head call={call} />
      <div className={classes.columns}>
        <div className={classes.main}>
          <Attempts call={call} />
          {call.has_originals && (
            <Switch
              label={t('calls.originals')}
              description={t('calls.originals_hint')}
              checked={open}
              onChange={(e) => setOpen(e.currentTarget.checked)}
              error={open && originals.error && t('calls.originals_denied')}
            />
          )}
          {texts.map(([name, text]) => (
            <section key={name}>
              <h2 className={classes.heading}>{name}</h2>
              {text ? (
                <Block text={withOriginals(text, tokens)} what={name} />
              ) : (
                <p className="dim">{t('calls.no_text')}</p>
              )}
            </section>
          ))}
          <Opinion project={call.project_id} call={call.call_id} />
          <Replay call={call} />
        </div>
        <Side call={call} />
      </div>
    </div>
  );
}

function Head({ call }: { call: Call }) {
  const { t } = useTranslation();
  const params = { project: String(call.project_id) };
  const { usage } = call;
  return (
    <header className={head.head}>
      <div className={head.crumbs}>
        <Link to="/projects/$project/ai-calls" params={params}>
          {t('nav.calls')}
        </Link>
        <IconChevronRight size={14} aria-hidden />
        <code>{call.call_id}</code>
        <Copy
          text={`${window.location.origin}/projects/${call.project_id}/ai-calls/${call.call_id}`}
          what={t('copy.link')}
        />
      </div>
      <div className={`${head.titleRow} ${classes.titleRow}`}>
        <Outcome status={call.status} />
        <h1>
          <RoleName call={call} />
        </h1>
      </div>
      {call.error && <p className={classes.failed}>{call.error}</p>}
      <dl className={`${head.answers} ${classes.answers}`}>
        <Fact label={t('calls.column.about')}>
          <strong>
            <About call={call} />
          </strong>
          <span className="dim">{[call.caller_kind, call.caller_name].filter(Boolean).join(' · ')}</span>
        </Fact>
        <Fact label={t('calls.column.at')}>
          <strong>{absolute(call.at).slice(0, 19)}</strong>
          <span className="dim">
            <When at={call.at} />
          </span>
        </Fact>
        <Fact label={t('calls.column.model')}>
          <strong>{call.model || t('calls.no_model')}</strong>
          <span className="dim">{call.provider}</span>
        </Fact>
        <Fact label={t('calls.column.latency')}>
          <strong>{durationMs(call.latency_ms)}</strong>
          <span className="dim">
            {[
              t('calls.attempts_made', { attempts: call.attempts.length }),
              call.first_token_ms > 0 && t('calls.first_token', { time: durationMs(call.first_token_ms) }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
          <span className="dim">{t('calls.overhead', { time: duration(call.overhead_us * 1000) })}</span>
        </Fact>
        <Fact label={t('calls.tokens')}>
          <strong>{t('calls.in_out', { input: count(usage.input_tokens), output: count(usage.output_tokens) })}</strong>
          <span className="dim">{t('calls.cached', { cached: count(usage.cached_tokens) })}</span>
          {usage.cache_write_tokens > 0 && (
            <span className="dim">{t('calls.cache_write', { written: count(usage.cache_write_tokens) })}</span>
          )}
          {usage.reasoning_tokens > 0 && (
            <span className="dim">{t('calls.reasoning', { reasoning: count(usage.reasoning_tokens) })}</span>
          )}
        </Fact>
        <Fact label={t('calls.column.cost')}>
          <strong>
            <Cost usage={usage} />
          </strong>
          <span className="dim">{t('calls.estimate')}</span>
        </Fact>
      </dl>
    </header>
  );
}

/** The role and its version; those who may edit roles come to the version that was used. */
function RoleName({ call }: { call: Call }) {
  const { data: me } = useQuery(meQuery);
  const name = `${call.role}@${call.role_version}`;
  const edits = me?.user.system || (me && ownersOf(me).some((o) => o.org === call.role_owner));
  if (!edits) return name;
  return (
    <Link {...roleLink({ owner: call.role_owner, code: call.role }, { tab: 'history', version: call.role_version })}>
      {name}
    </Link>
  );
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** How it ended, with which parameters it was asked, and how much was hidden. */
function Side({ call }: { call: Call }) {
  const { t } = useTranslation();
  const parameters = setParameters(call.parameters);
  const dropped = call.dropped ?? [];
  // What is no parameter of the call, such as its tools, is told when it was left out.
  const others = dropped.filter((name) => !parameters.some(([set]) => set === name));
  const masked = call.masked ?? [];
  const unknown = call.unknown_tokens ?? [];
  return (
    <aside className={`panel ${classes.side}`}>
      <section>
        <h2 className={classes.heading}>{t('calls.result')}</h2>
        <dl>
          <dt>{t('calls.label')}</dt>
          <dd>{call.label || <span className="dim">{t('calls.no_label')}</span>}</dd>
          <dt>{t('calls.finish.title')}</dt>
          <dd>
            {call.finish ? (
              t(`calls.finish.${call.finish as 'stop'}`, call.finish)
            ) : (
              <span className="dim">{t('calls.finish.none')}</span>
            )}
          </dd>
          <dt>{t('calls.grounded.title')}</dt>
          <dd>
            {call.grounded === null || call.grounded === undefined ? (
              <span className="dim">{t('calls.grounded.none')}</span>
            ) : (
              t(call.grounded ? 'calls.grounded.yes' : 'calls.grounded.no')
            )}
          </dd>
          <dt>{t('calls.schema.title')}</dt>
          <dd>
            {call.schema_valid === null || call.schema_valid === undefined ? (
              <span className="dim">{t('calls.schema.none')}</span>
            ) : (
              t(call.schema_valid ? 'calls.schema.valid' : 'calls.schema.invalid')
            )}
          </dd>
        </dl>
      </section>
      <section>
        <h2 className={classes.heading}>{t('calls.parameters')}</h2>
        {parameters.length === 0 ? (
          <p>{t('calls.no_parameters')}</p>
        ) : (
          <dl>
            {parameters.map(([name, value]) => (
              <div key={name} style={{ display: 'contents' }}>
                <dt>{t(`roles.parameter.${name}`)}</dt>
                <dd>
                  {dropped.includes(name) ? (
                    <>
                      <span className={classes.left}>{value}</span> {t('calls.left_out')}
                    </>
                  ) : (
                    value
                  )}
                </dd>
              </div>
            ))}
          </dl>
        )}
        {others.length > 0 && (
          <p>
            {t('calls.dropped', {
              names: others.map((name) => t(`roles.parameter.${name as 'top_p'}`, name)).join(', '),
            })}
          </p>
        )}
      </section>
      <section>
        <h2 className={classes.heading}>{t('calls.masked')}</h2>
        {masked.length === 0 ? (
          <p>{t('calls.nothing_masked')}</p>
        ) : (
          <dl>
            {masked.map((each) => (
              <div key={each.class} style={{ display: 'contents' }}>
                <dt>{t(`masking.class.${each.class as 'host'}`, each.class)}</dt>
                <dd>{count(each.count)}</dd>
              </div>
            ))}
          </dl>
        )}
      </section>
      {unknown.length > 0 && (
        <section>
          <h2 className={classes.heading}>{t('calls.unknown')}</h2>
          <p>{t('calls.unknown_means')}</p>
          <p>
            {unknown.map((token) => (
              <span key={token}>
                <code>{token}</code>{' '}
              </span>
            ))}
          </p>
        </section>
      )}
    </aside>
  );
}

function Waiting() {
  return (
    <div className="page" aria-busy>
      <Skeleton height={20} width={260} mb={10} />
      <Skeleton height={26} width="36%" mb={14} />
      <Skeleton height={64} mb={18} />
      <div className={classes.columns}>
        <div className={classes.main}>
          <Skeleton height={110} />
          <Skeleton height={320} />
          <Skeleton height={320} />
        </div>
        <Skeleton height={240} />
      </div>
    </div>
  );
}
