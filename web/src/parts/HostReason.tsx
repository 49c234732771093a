import { useTranslation } from 'react-i18next';
import type { Host } from '../api/types.ts';
import { percent } from '../format/number.ts';

/** Why a host is in its state, in words: "/data 96 % full". */
export function HostReason({ of: { health, cpu, memory, disk, disk_mount } }: { of: Host }) {
  const { t } = useTranslation();
  if (!health.reason) return null;
  const share = { silent: null, cpu, memory, disk }[health.reason];
  return t(`hosts.reason.${health.reason}`, { share: share === null ? '' : percent(share), mount: disk_mount });
}
