import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { useQuery } from '@tanstack/react-query';
import { Link, type LinkProps } from '@tanstack/react-router';
import { type ReactNode, useId } from 'react';
import { useTranslation } from 'react-i18next';
import { spendingQuery } from '../../api/calls.ts';
import type { Home, SignalArrival, Spending } from '../../api/types.ts';
import { count, dollars, rate } from '../../format/number.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import classes from './Home.module.css';

const PLACES = {
  traces: '/projects/$project/transactions',
  logs: '/projects/$project/logs',
  metrics: '/projects/$project/metrics',
  profiles: '/projects/$project/services',
} as const satisfies Record<SignalArrival['signal'], LinkProps['to']>;

interface Props {
  project: number;
  home: UseQueryResult<Home>;
  pausedAt?: number;
}

/** Whether telemetry comes in, and what models cost today. */
export function Arriving({ project, home, pausedAt }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const midnight = new Date(useNow()).setHours(0, 0, 0, 0);
  const spending = useQuery(spendingQuery(project, new Date(midnight).toISOString(), pausedAt));
  const params = { project: String(project) };
  const today = {
    range: undefined,
    from: new Date(midnight).toISOString(),
    to: new Date(new Date(midnight).setHours(24)).toISOString(),
  };
  return (
    <section className="panel" aria-labelledby={id} aria-busy={home.isPending}>
      <header className={classes.head}>
        <h2 id={id}>{t('home.arriving')}</h2>
      </header>
      <Stale query={home} />
      {home.isError && !home.data ? (
        <Failure error={home.error} retry={() => void home.refetch()} />
      ) : (
        <dl className={classes.signals}>
          {(Object.keys(PLACES) as SignalArrival['signal'][]).map((signal) => {
            const arrival = home.data?.signals.find((s) => s.signal === signal);
            const stopped = arrival?.per_second === 0 && arrival.last !== null;
            return (
              <Cell
                key={signal}
                label={t(`home.signal.${signal}`)}
                link={{ to: PLACES[signal], params }}
                stopped={stopped}
              >
                {arrival && {
                  big: arrival.per_second > 0 ? rate(arrival.per_second) : '–',
                  second:
                    arrival.per_second > 0 ? (
                      t(`home.of.${signal}`)
                    ) : arrival.last ? (
                      <>
                        {t('home.stopped')} <When at={arrival.last} />
                      </>
                    ) : (
                      t('home.nothing')
                    ),
                }}
              </Cell>
            );
          })}
          <Cell label={t('home.spent')} link={{ to: '/projects/$project/ai-calls', params, search: today }}>
            {spending.data && { big: dollars(spending.data.cost_usd), second: <Calls of={spending.data} /> }}
          </Cell>
        </dl>
      )}
    </section>
  );
}

function Calls({ of }: { of: Spending }) {
  const { t } = useTranslation();
  const parts = [t('home.calls', { n: count(of.calls) })];
  if (of.failed > 0) parts.push(t('home.calls_failed', { n: count(of.failed) }));
  if (of.unpriced > 0) parts.push(t('home.calls_unpriced', { n: count(of.unpriced) }));
  return parts.join(' · ');
}

interface CellProps {
  label: string;
  link: LinkProps;
  stopped?: boolean;
  /** Absent while it is not known. */
  children?: { big: ReactNode; second: ReactNode };
}

function Cell({ label, link, stopped, children }: CellProps) {
  return (
    <div className={classes.signal} data-stopped={stopped || undefined}>
      <dt>
        <Link {...link} className="row-link">
          {label}
        </Link>
      </dt>
      <dd className={classes.big}>{children?.big ?? <Skeleton height={18} my={4} width={64} />}</dd>
      <dd className={classes.second}>{children?.second ?? <Skeleton height={11} my={3} width={96} />}</dd>
    </div>
  );
}
