import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconExclamationCircle,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { RED, ServiceHealth } from '../api/types.ts';
import { duration } from '../format/duration.ts';
import { percent, rate, ratio } from '../format/number.ts';
import classes from './State.module.css';

const LOOKS = {
  critical: { Icon: IconAlertTriangleFilled, tone: 'critical' },
  warning: { Icon: IconExclamationCircle, tone: 'warning' },
  ok: { Icon: IconCircleCheckFilled, tone: 'ok' },
  unknown: { Icon: IconCircleDashed, tone: 'none' },
} as const;

/** How a service is doing: colour, shape and word say the same thing. */
export function Health({ state }: { state: ServiceHealth['state'] }) {
  const { t } = useTranslation();
  const { Icon, tone } = LOOKS[state];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {t(`health.${state}`)}
    </span>
  );
}

interface Judged {
  now: RED;
  day_ago: RED | null;
  week_ago: RED | null;
  health: ServiceHealth;
}

/** Why a service is in its state, in words: "p95 2.1 s, 3.4× last week". */
export function useReason({ now, day_ago, week_ago, health }: Judged): string {
  const { t } = useTranslation();
  const { reason, against, ratio: times } = health;
  if (!reason) return '';
  const then = against === 'week' ? week_ago : day_ago;
  const value = {
    slow: () => duration(now.p95_ns),
    errors: () => percent(now.error_share),
    silent: () => rate(then?.per_second ?? 0),
    quiet: () => rate(now.per_second),
    busy: () => rate(now.per_second),
  }[reason]();
  const words = t(`health.reason.${reason}`, { value });
  if (reason === 'silent') return `${words} ${t(`health.was.${against || 'day'}`, { value })}`;
  if (!against) return words;
  return times === 0
    ? `${words}, ${t(`health.none.${against}`)}`
    : `${words}, ${t(`health.against.${against}`, { times: ratio(times) })}`;
}
