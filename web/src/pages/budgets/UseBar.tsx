import { IconAlertTriangle, IconBan, IconCircleCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { percent } from '../../format/number.ts';
import badges from '../../parts/State.module.css';
import classes from './Budgets.module.css';
import { nearness } from './words.ts';

const LOOKS = {
  far: { Icon: IconCircleCheck, tone: 'ok', fill: undefined },
  near: { Icon: IconAlertTriangle, tone: 'warning', fill: 'warning' },
  over: { Icon: IconBan, tone: 'critical', fill: 'critical' },
} as const;

interface Props {
  /** Of the limit; what calls really used may end above it. */
  share: number;
  softPercent: number;
}

/** What is used of a limit, with a mark where people are told and one where calls are refused. */
export function UseBar({ share, softPercent }: Props) {
  const { t } = useTranslation();
  const whole = Math.max(1.08, share * 1.04);
  const at = (of: number) => `${(Math.min(of, whole) / whole) * 100}%`;
  const { fill } = LOOKS[nearness(share, softPercent)];
  const label = t(softPercent ? 'budgets.bar_soft' : 'budgets.bar', { share: percent(share), soft: softPercent });
  return (
    <div className={classes.bar} role="img" aria-label={label} title={label}>
      {share > 0 && <i data-tone={fill} style={{ width: at(share) }} />}
      {softPercent > 0 && <b data-mark="soft" style={{ left: at(softPercent / 100) }} />}
      <b data-mark="hard" style={{ left: at(1) }} />
    </div>
  );
}

/** The same in a word, by icon, colour and text. */
export function Nearness({ share, softPercent }: Props) {
  const { t } = useTranslation();
  const state = nearness(share, softPercent);
  const { Icon, tone } = LOOKS[state];
  return (
    <span className={badges.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {t(`budgets.state.${state}`)}
    </span>
  );
}
