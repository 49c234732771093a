import {
  IconCircleCheck,
  IconCircleX,
  IconClock,
  IconGitMerge,
  IconMoon,
  IconQuestionMark,
  IconRefresh,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Try } from '../../api/types.ts';
import { durationMs } from '../../format/duration.ts';
import { When } from '../When.tsx';
import classes from './Notify.module.css';

const SIGNS = {
  pending: { icon: IconClock, tone: 'none' },
  sending: { icon: IconRefresh, tone: 'none' },
  delivered: { icon: IconCircleCheck, tone: 'ok' },
  failed: { icon: IconCircleX, tone: 'critical' },
  held: { icon: IconMoon, tone: 'none' },
  joined: { icon: IconGitMerge, tone: 'none' },
  retried: { icon: IconRefresh, tone: 'warning' },
  lost: { icon: IconQuestionMark, tone: 'warning' },
} as const;

/** How a delivery or an attempt stands, by sign and word. */
export function Outcome({ of, label }: { of: string; label: string }) {
  const { icon: Icon, tone } = SIGNS[of as keyof typeof SIGNS] ?? SIGNS.pending;
  return (
    <span className={classes.outcome} data-tone={tone}>
      <Icon size={15} aria-hidden />
      {label}
    </span>
  );
}

/** Every attempt of a delivery: when, how it ended, how long it took, why it failed. */
export function Attempts({ log }: { log: Try[] }) {
  return (
    <ol className={classes.attempts}>
      {log.map((attempt) => (
        <AttemptLine key={attempt.number} attempt={attempt} />
      ))}
    </ol>
  );
}

function AttemptLine({ attempt }: { attempt: Try }) {
  const { t } = useTranslation();
  return (
    <li>
      <span className={classes.number}>{attempt.number}</span>
      <When at={attempt.at} clock />
      <Outcome of={attempt.outcome} label={t(`channels.outcome.${attempt.outcome as 'delivered'}`, attempt.outcome)} />
      {attempt.took_ms > 0 && <span className="dim">{durationMs(attempt.took_ms)}</span>}
      {attempt.error && <span className="soft">{attempt.error}</span>}
    </li>
  );
}
