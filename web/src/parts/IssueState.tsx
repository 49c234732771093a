import {
  IconBellOff,
  IconCircleCheckFilled,
  IconCircleDotFilled,
  IconRotate2,
  IconSparkles,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Issue } from '../api/types.ts';
import classes from './State.module.css';

const LOOK = {
  new: { tone: 'critical', icon: IconSparkles },
  regressed: { tone: 'critical', icon: IconRotate2 },
  ongoing: { tone: 'warning', icon: IconCircleDotFilled },
  resolved: { tone: 'ok', icon: IconCircleCheckFilled },
  ignored: { tone: 'none', icon: IconBellOff },
} as const;

/** The state of an issue: colour, shape and word say the same thing. */
export function IssueState({ state }: { state: Issue['state'] }) {
  const { t } = useTranslation();
  const { tone, icon: Icon } = LOOK[state];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {t(`issues.state.${state}`)}
    </span>
  );
}
