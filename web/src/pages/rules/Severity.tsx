import { IconAlertTriangleFilled, IconFlameFilled, IconInfoCircleFilled } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Rule } from '../../api/types.ts';
import state from '../../parts/State.module.css';

const ICONS = { critical: IconFlameFilled, warning: IconAlertTriangleFilled, info: IconInfoCircleFilled };

/** How grave an alarm is: colour, shape and word say the same thing. */
export function Severity({ of }: { of: Rule['severity'] }) {
  const { t } = useTranslation();
  const Icon = ICONS[of];
  return (
    <span className={state.badge} data-tone={of}>
      <Icon size={13} aria-hidden />
      {t(`rules.severity.${of}`)}
    </span>
  );
}
