import { useTranslation } from 'react-i18next';
import type { TimelineEntry } from '../../api/types.ts';
import { When } from '../../parts/When.tsx';
import classes from './Incident.module.css';
import { useReason } from './useReason.ts';

const TONES: Partial<Record<TimelineEntry['kind'], string>> = {
  opened: 'critical',
  acknowledged: 'warning',
  resolved: 'ok',
};

/** What happened to the incident, oldest first. */
export function Timeline({ entries }: { entries: TimelineEntry[] }) {
  const { t } = useTranslation();
  const detail = useDetail();
  return (
    <ol className={classes.timeline}>
      {entries.map((entry, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: entries are only ever appended
        <li key={i} data-tone={TONES[entry.kind]}>
          <When at={entry.at} clock />
          <div>
            <strong>{t(`timeline.${entry.kind}`)}</strong>
            <div className="dim">{detail(entry)}</div>
          </div>
        </li>
      ))}
    </ol>
  );
}

/** Who or what was behind an entry, in words. */
function useDetail() {
  const { t } = useTranslation();
  const reason = useReason();
  return ({ kind, data }: TimelineEntry): string => {
    const by = data.by ? t('timeline.by', { name: data.by }) : '';
    switch (kind) {
      case 'opened':
      case 'matched':
        return data.matches ? t('incident.times', { times: data.matches }) : '';
      case 'analyzed':
        return data.source === 'model' ? `${data.model} (${data.provider})` : reason(String(data.reason ?? ''));
      case 'resolved':
        return by || (data.quiet_minutes ? t('timeline.quiet', { minutes: data.quiet_minutes }) : '');
      default:
        return by;
    }
  };
}
