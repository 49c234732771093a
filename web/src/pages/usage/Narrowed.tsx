import { Button } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { UsageReport } from '../../api/types.ts';
import { USAGE_DIMENSIONS, type UsageDimension, type UsageFilter } from '../../api/usage.ts';
import classes from './Usage.module.css';

interface Props {
  filter: UsageFilter;
  /** Has the names of what the filter numbers; absent while it is on its way. */
  report?: UsageReport;
  onChange: (next: UsageFilter) => void;
}

/** What the page is narrowed to, each to be taken off. */
export function Narrowed({ filter, report, onChange }: Props) {
  const { t } = useTranslation();
  const narrowed = USAGE_DIMENSIONS.filter((each) => filter[each] !== undefined);
  if (narrowed.length === 0) return null;
  const nameOf = (by: UsageDimension) => {
    const key = filter[by] ?? '';
    if (key === '0') return t('usage.nobody');
    return report?.where.find((each) => each.by === by && each.key === key)?.name || key;
  };
  const off = (all: UsageDimension[]) => onChange(Object.fromEntries(all.map((each) => [each, undefined])));
  return (
    <ul className={classes.narrowed} aria-label={t('usage.narrowed')}>
      {narrowed.map((by) => (
        <li key={by}>
          <Button
            variant="default"
            size="compact-sm"
            rightSection={<IconX size={13} aria-hidden />}
            aria-label={t('usage.widen', { by: t(`usage.by.${by}`), name: nameOf(by) })}
            onClick={() => off([by])}
          >
            <span className="dim">{t(`usage.by.${by}`)}</span>
            <span className={classes.chipName}>{nameOf(by)}</span>
          </Button>
        </li>
      ))}
      {narrowed.length > 1 && (
        <li>
          <Button variant="subtle" size="compact-sm" onClick={() => off(narrowed)}>
            {t('usage.widen_all')}
          </Button>
        </li>
      )}
    </ul>
  );
}
