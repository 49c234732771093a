import {
  IconArrowRight,
  IconClockPause,
  IconCode,
  IconDatabase,
  IconGhost2,
  IconMail,
  IconServer,
  IconX,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

const ICONS = {
  sql: IconDatabase,
  store: IconDatabase,
  call: IconArrowRight,
  server: IconServer,
  message: IconMail,
  method: IconCode,
  missing: IconGhost2,
  wait: IconClockPause,
  exception: IconX,
} as const;

const isKnown = (kind: string): kind is keyof typeof ICONS => Object.hasOwn(ICONS, kind);

/** The kind of a span or step, as a shape with a name. */
export function KindIcon({ kind }: { kind: string }) {
  const { t } = useTranslation();
  const known = isKnown(kind) ? kind : 'method';
  const Icon = ICONS[known];
  return <Icon size={14} stroke={1.7} role="img" aria-label={t(`trace.kind.${known}`)} style={{ flex: 'none' }} />;
}
