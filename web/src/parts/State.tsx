import {
  IconAlertTriangleFilled,
  IconArchive,
  IconBandage,
  IconCircleCheckFilled,
  IconUserCheck,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { IncidentSummary } from '../api/types.ts';
import classes from './State.module.css';

const LOOKS = {
  open: { tone: 'critical', icon: IconAlertTriangleFilled },
  acknowledged: { tone: 'warning', icon: IconUserCheck },
  mitigated: { tone: 'info', icon: IconBandage },
  resolved: { tone: 'ok', icon: IconCircleCheckFilled },
  closed: { tone: 'none', icon: IconArchive },
} as const;

/** The state of an incident: colour, shape and word say the same thing. */
export function State({ incident }: { incident: Pick<IncidentSummary, 'state'> }) {
  const { t } = useTranslation();
  const { tone, icon: Icon } = LOOKS[incident.state];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {t(`incident.state.${incident.state}`)}
    </span>
  );
}
