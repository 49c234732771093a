import {
  IconArrowRight,
  IconClockPause,
  IconCode,
  IconDatabase,
  IconMail,
  IconServer,
  IconX,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Step } from '../../api/types.ts';
import type { SpanKind } from './look.ts';

const ICONS = {
  sql: IconDatabase,
  store: IconDatabase,
  call: IconArrowRight,
  server: IconServer,
  message: IconMail,
  method: IconCode,
  wait: IconClockPause,
  exception: IconX,
} as const;

/** The kind of a span or step, as a shape with a name. */
export function KindIcon({ kind }: { kind: SpanKind | Step['kind'] }) {
  const { t } = useTranslation();
  const Icon = ICONS[kind] ?? IconCode;
  return <Icon size={14} stroke={1.7} role="img" aria-label={t(`trace.kind.${kind}`)} style={{ flex: 'none' }} />;
}
