import { SegmentedControl, Select, Skeleton } from '@mantine/core';
import { IconFlame } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { flameQuery, profileKindsQuery } from '../../api/profiles.ts';
import { setupQuery } from '../../api/project.ts';
import type { FlameGraph, FlameNode } from '../../api/types.ts';
import { duration } from '../../format/duration.ts';
import { bytes, count, percent } from '../../format/number.ts';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { Filter } from '../../parts/Filter.tsx';
import { Flame } from '../../parts/flame/Flame.tsx';
import { Block } from '../../parts/Mono.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { callsOf, type FlameCall, foundIn, moduleOf } from './calls.ts';
import { Functions } from './Functions.tsx';
import type { ListProps } from './list.ts';
import classes from './Profiles.module.css';

interface Props extends ListProps {
  kind: string | undefined;
  endpoint: string | undefined;
  /** The call that fills the width. */
  call: string | undefined;
}

/** Where the service spends its time or memory: call stacks as a flame graph, and by function. */
export function Profiles({ kind, endpoint, call, ...list }: Props) {
  const { t } = useTranslation();
  const { project, service, environment, following, set } = list;
  const kinds = useQuery(profileKindsQuery(project, { service, environment }, following));
  const items = kinds.data?.items ?? [];
  const chosen = items.find((each) => each.kind === kind) ?? items[0];
  const flame = useQuery({
    ...flameQuery(project, { service, environment, kind: chosen?.kind ?? '', endpoint }, following),
    enabled: chosen !== undefined,
  });
  if (kinds.isError && !kinds.data) return <Failure error={kinds.error} retry={() => void kinds.refetch()} />;
  if (kinds.data && !chosen) return <HowTo project={project} service={service} />;
  const endpoints = [...new Set([...(chosen?.endpoints ?? []), ...(endpoint ? [endpoint] : [])])];
  return (
    <section className="panel" aria-label={t('service.tab.profiles')} aria-busy={flame.isPending}>
      <Stale query={flame} />
      <div className={classes.choice}>
        <SegmentedControl
          aria-label={t('profiles.kind')}
          value={chosen?.kind ?? ''}
          onChange={(next) => set({ kind: next, call: undefined })}
          data={items.map((each) => ({
            value: each.kind,
            label: t(`profiles.kinds.${each.kind}`, { defaultValue: each.kind }),
          }))}
        />
        <Select
          aria-label={t('transactions.endpoint')}
          placeholder={t('profiles.all_endpoints')}
          data={endpoints}
          value={endpoint ?? null}
          searchable
          clearable
          w={320}
          onChange={(next) => set({ endpoint: next ?? undefined, call: undefined })}
        />
        <Filter label={t('profiles.search')} value={list.q ?? ''} onChange={(v) => set({ q: v || undefined })} />
      </div>
      {flame.isError && !flame.data ? (
        <Failure error={flame.error} retry={() => void flame.refetch()} />
      ) : !flame.data ? (
        <div className={classes.waiting}>
          <Skeleton height={320} />
        </div>
      ) : !flame.data.root || flame.data.root.total === 0 ? (
        <Empty icon={IconFlame} title={t('profiles.none_of_endpoint')}>
          <p>{t('service.nothing_hint')}</p>
        </Empty>
      ) : (
        <Drawn graph={flame.data} root={flame.data.root} call={call} list={list} />
      )}
    </section>
  );
}

interface DrawnProps {
  graph: FlameGraph;
  root: FlameNode;
  call: string | undefined;
  list: ListProps;
}

function Drawn({ graph, root, call, list }: DrawnProps) {
  const { t } = useTranslation();
  const { q, set } = list;
  const calls = useMemo(() => callsOf(root), [root]);
  const focus = useMemo(() => calls.all.find((each) => each.id === call) ?? calls.root, [calls, call]);
  const found = useMemo(() => (q ? foundIn(calls, q) : undefined), [calls, q]);
  const colours = useMemo(() => coloursOf(calls.all), [calls]);
  const amount = amountOf(graph.unit);
  const share = (value: number) => percent(value / Math.max(1, root.total));
  return (
    <>
      <p className={classes.sum}>
        <span>
          {t('profiles.sum', { total: amount(root.total), samples: count(graph.samples) })}
          {graph.cut > 0 && <span className="dim">{` · ${t('profiles.cut', { share: share(graph.cut) })}`}</span>}
        </span>
        {found && (
          <strong aria-live="polite">
            {t('profiles.found', {
              calls: count(found.calls.size),
              total: amount(found.total),
              share: share(found.total),
            })}
          </strong>
        )}
      </p>
      <Flame
        label={t('trace.flame')}
        root={calls.root}
        focus={focus}
        resting={focus}
        look={(each) => ({
          name: each.name,
          total: amount(each.total),
          colour: colours.get(moduleOf(each.name)) ?? 'var(--mx-s8)',
          dark: found && !found.calls.has(each),
        })}
        told={(each) => (
          <>
            <strong>{each.name}</strong>{' '}
            {t('profiles.told', {
              total: amount(each.total),
              share: share(each.total),
              self: amount(each.self),
              self_share: share(each.self),
            })}
          </>
        )}
        onFocus={(each) => set({ call: each.id || undefined })}
      />
      <Functions calls={calls} amount={amount} list={list} />
    </>
  );
}

/** The modules that count most get the colours, in their order. */
function coloursOf(calls: FlameCall[]): Map<string, string> {
  const sums = new Map<string, number>();
  for (const { name, self } of calls) sums.set(moduleOf(name), (sums.get(moduleOf(name)) ?? 0) + self);
  const order = [...sums].sort(([a, x], [b, y]) => y - x || a.localeCompare(b)).slice(0, 7);
  return new Map(order.map(([module], i) => [module, `var(--mx-s${i + 1})`]));
}

/** How a value of a unit is written. */
const amountOf = (unit: string): ((n: number) => string) =>
  unit === 'nanoseconds' ? duration : unit === 'bytes' ? bytes : count;

/** In place of stacks that nobody sends: how to. */
function HowTo({ project, service }: { project: number; service: string }) {
  const { t } = useTranslation();
  const { data: setup } = useQuery(setupQuery(project));
  const to = `'${setup?.otlp_http ?? ''}/v1/pprof?service=${encodeURIComponent(service)}'`;
  const pprof = [
    "curl -s 'http://localhost:6060/debug/pprof/profile?seconds=30' |",
    `  curl -H 'Authorization: Bearer ${t('first.key')}' --data-binary @- ${to}`,
  ].join('\n');
  const java = [
    'export OTEL_JAVAAGENT_EXTENSIONS=/opt/opentelemetry-span-stacktrace.jar',
    'export OTEL_JAVA_EXPERIMENTAL_SPAN_STACKTRACE_MIN_DURATION=1s',
  ].join('\n');
  return (
    <section className="panel">
      <Empty icon={IconFlame} title={t('profiles.none')}>
        <div className={classes.howto}>
          <p>{t('profiles.send_pprof')}</p>
          <Block text={pprof} what={t('profiles.pprof')} />
          <p>
            <Trans t={t} i18nKey="profiles.send_java" components={{ code: <code /> }} />
          </p>
          <Block text={java} what={t('profiles.java')} />
        </div>
      </Empty>
    </section>
  );
}
