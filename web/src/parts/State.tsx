import { IconAlertTriangleFilled, IconCircleCheckFilled, IconUserCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { IncidentSummary } from '../api/types.ts';
import classes from './State.module.css';

/** The state of an incident: colour, shape and word say the same thing. */
export function State({ incident }: { incident: Pick<IncidentSummary, 'state' | 'acknowledged_by'> }) {
  const { t } = useTranslation();
  if (incident.state === 'resolved') {
    return (
      <span className={classes.badge} data-tone="ok">
        <IconCircleCheckFilled size={14} aria-hidden />
        {t('incident.state.resolved')}
      </span>
    );
  }
  if (incident.acknowledged_by) {
    return (
      <span className={classes.badge} data-tone="warning">
        <IconUserCheck size={14} aria-hidden />
        {t('incident.state.acknowledged')}
      </span>
    );
  }
  return (
    <span className={classes.badge} data-tone="critical">
      <IconAlertTriangleFilled size={14} aria-hidden />
      {t('incident.state.open')}
    </span>
  );
}
