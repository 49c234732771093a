import {
  IconBell,
  IconBellRinging,
  IconBrandSlack,
  IconBrandTeams,
  IconBrandTelegram,
  IconMail,
  IconMessageCircle,
  IconMessages,
  IconTerminal2,
  IconUrgent,
  IconWebhook,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

const ICONS: Record<string, typeof IconBell> = {
  alimtalk: IconMessageCircle,
  console: IconTerminal2,
  email: IconMail,
  kakaowork: IconMessages,
  opsgenie: IconBellRinging,
  pagerduty: IconUrgent,
  slack: IconBrandSlack,
  teams: IconBrandTeams,
  telegram: IconBrandTelegram,
  webhook: IconWebhook,
};

/** A kind of channel by its sign and its name. */
export function KindName({ kind }: { kind: string }) {
  const { t } = useTranslation();
  const Icon = ICONS[kind] ?? IconBell;
  return (
    <span className="row">
      <Icon size={16} stroke={1.6} aria-hidden />
      {t(`channels.kind.${kind as 'slack'}`, kind)}
    </span>
  );
}
