import { useTranslation } from 'react-i18next';
import type { TimelineEntry } from '../../api/types.ts';
import { When } from '../../parts/When.tsx';
import classes from './Incident.module.css';

const TONES: Record<string, string> = {
  opened: 'critical',
  reopened: 'critical',
  resolved: 'ok',
  acknowledged: 'warning',
  analysis_failed: 'warning',
};

/** What happened to the incident, oldest first. */
export function Timeline({ entries }: { entries: TimelineEntry[] }) {
  const { t } = useTranslation();
  return (
    <ol className={classes.timeline}>
      {entries.map((entry, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: entries are only ever appended
        <li key={i} data-tone={TONES[entry.kind]}>
          <When at={entry.at} clock />
          <div>
            <strong>{t(`timeline.${entry.kind as 'opened'}`, entry.kind)}</strong>
            <Data data={entry.data} />
          </div>
        </li>
      ))}
    </ol>
  );
}

function Data({ data }: { data: TimelineEntry['data'] }) {
  const told = Object.entries(data ?? {}).filter(
    ([, value]) => value !== '' && value !== null && typeof value !== 'object',
  );
  if (told.length === 0) return null;
  return <div className="dim">{told.map(([name, value]) => `${name}: ${value}`).join(' · ')}</div>;
}
