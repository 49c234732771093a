import { IconBan, IconCircleCheckFilled, IconHandStop, IconLoader } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Experiment } from '../../api/types.ts';
import classes from '../../parts/State.module.css';

const LOOKS = {
  running: { icon: IconLoader, tone: 'info' },
  done: { icon: IconCircleCheckFilled, tone: 'ok' },
  cancelled: { icon: IconBan, tone: 'none' },
  stopped: { icon: IconHandStop, tone: 'warning' },
} as const;

/** How far an experiment is: colour, shape and word say the same thing. */
export function ExperimentState({ state }: { state: Experiment['state'] }) {
  const { t } = useTranslation();
  const { icon: Icon, tone } = LOOKS[state];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {t(`playground.states.${state}`)}
    </span>
  );
}
