import { IconAlertOctagonFilled, IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { IncidentSummary } from '../api/types.ts';
import classes from './State.module.css';

const LOOKS = {
  critical: { tone: 'critical', icon: IconAlertOctagonFilled },
  warning: { tone: 'warning', icon: IconAlertTriangle },
  info: { tone: 'none', icon: IconInfoCircle },
} as const;

/** How bad an incident is. */
export function Severity({ severity }: { severity: IncidentSummary['severity'] }) {
  const { t } = useTranslation();
  const { tone, icon: Icon } = LOOKS[severity];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {t(`severity.${severity}`)}
    </span>
  );
}
