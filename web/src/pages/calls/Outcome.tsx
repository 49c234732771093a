import {
  IconBan,
  IconCircleCheckFilled,
  IconCircleXFilled,
  IconClockX,
  IconCut,
  IconEyeOff,
  IconMessageX,
  IconPlayerSkipForward,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import classes from '../../parts/State.module.css';

const LOOKS = {
  ok: { icon: IconCircleCheckFilled, tone: 'ok' },
  invalid: { icon: IconMessageX, tone: 'warning' },
  timeout: { icon: IconClockX, tone: 'warning' },
  cancelled: { icon: IconBan, tone: 'none' },
  skipped: { icon: IconPlayerSkipForward, tone: 'none' },
  partial: { icon: IconCut, tone: 'critical' },
  masking_failed: { icon: IconEyeOff, tone: 'critical' },
  exhausted: { icon: IconCircleXFilled, tone: 'critical' },
  error: { icon: IconCircleXFilled, tone: 'critical' },
} as const;

/** How a call or one of its attempts ended: colour, shape and word say the same thing. */
export function Outcome({ status }: { status: string }) {
  const { t } = useTranslation();
  const known = status in LOOKS ? (status as keyof typeof LOOKS) : undefined;
  const { icon: Icon, tone } = LOOKS[known ?? 'error'];
  return (
    <span className={classes.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {known ? t(`calls.status.${known}`) : status}
    </span>
  );
}
