import { useTranslation } from 'react-i18next';
import { duration } from '../../format/duration.ts';
import { count, percent } from '../../format/number.ts';
import { Times } from '../../parts/Change.tsx';
import { type Compared, healthOf, perMinute, type Red, shareOf } from './look.ts';
import classes from './Map.module.css';

interface Props {
  of: Red;
  minutes: number;
  /** The same over the whole range, while a moment of it is shown. */
  whole: Compared | undefined;
}

/** The numbers of a node or an edge. */
export function Facts({ of, minutes, whole }: Props) {
  const { t, i18n } = useTranslation();
  const time = (ns: number) => duration(ns, i18n.language);
  const facts: {
    label: string;
    value: string;
    number: (red: Red, minutes: number) => number;
    write: (n: number) => string;
    neutral?: boolean;
  }[] = [
    {
      label: t('map.calls'),
      value: `${count(of.count)} (${t('map.rate', { n: perMinute(of.count, minutes) })})`,
      number: (red, m) => red.count / m,
      write: (n) => t('map.rate', { n: perMinute(n, 1) }),
      neutral: true,
    },
    {
      label: t('map.errors'),
      value: of.errors ? `${count(of.errors)} (${percent(shareOf(of))})` : '0',
      number: shareOf,
      write: percent,
    },
    ...(of.p50_ns > 0
      ? ([
          [t('map.column.p50'), 'p50_ns'],
          [t('map.column.p95'), 'p95_ns'],
          [t('map.column.p99'), 'p99_ns'],
          [t('map.max'), 'max_ns'],
        ] as const)
      : []
    ).map(([label, key]) => ({ label, value: time(of[key]), number: (red: Red) => red[key], write: time })),
  ];
  return (
    <dl className={classes.facts} data-health={healthOf(of)}>
      {facts.map(({ label, value, number, write, neutral }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
          {whole && of.count > 0 && (
            <dd className={classes.versus}>
              <Versus now={number(of, minutes)} usual={number(whole.red, whole.minutes)} {...{ write, neutral }} />
            </dd>
          )}
        </div>
      ))}
    </dl>
  );
}

interface VersusProps {
  now: number;
  /** Over the whole range. */
  usual: number;
  write: (n: number) => string;
  neutral?: boolean;
}

/** A number of a moment beside the one of the whole range. */
export function Versus({ now, usual, write, neutral }: VersusProps) {
  const { t } = useTranslation();
  const times = usual > 0 ? now / usual : now > 0 ? Number.POSITIVE_INFINITY : 1;
  return <Times times={times} title={t('map.travel.whole', { value: write(usual) })} neutral={neutral} />;
}
