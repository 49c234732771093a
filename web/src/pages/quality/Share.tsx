import { useTranslation } from 'react-i18next';
import type { QualityRate } from '../../api/types.ts';
import { percent } from '../../format/number.ts';
import classes from './Quality.module.css';

/** A share with the size of its sample and the interval it stands for; no sample is no share. */
export function Share({ of }: { of: QualityRate }) {
  const { t } = useTranslation();
  if (of.of === 0) return <span className="dim">{'–'}</span>;
  return (
    <div className={classes.share} title={t('quality.interval', { low: percent(of.low), high: percent(of.high) })}>
      {percent(of.rate)}
      <span className={classes.sample}>{`${of.hits} / ${of.of} · ${percent(of.low)}–${percent(of.high)}`}</span>
      <span className={classes.track} aria-hidden>
        <i style={{ left: `${of.low * 100}%`, width: `${(of.high - of.low) * 100}%` }} />
        <b style={{ left: `${of.rate * 100}%` }} />
      </span>
    </div>
  );
}
