import { ActionIcon, Tooltip } from '@mantine/core';
import { IconFilterMinus, IconVariable } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type LogFilter, logPatternsQuery } from '../../api/logs.ts';
import type { Following } from '../../api/pages.ts';
import type { LogPattern } from '../../api/types.ts';
import { count, percent } from '../../format/number.ts';
import { Bar } from '../../parts/Bar.tsx';
import { Sparkline } from '../../parts/chart/Sparkline.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { Stale } from '../../parts/Stale.tsx';
import { When } from '../../parts/When.tsx';
import { Swatch } from './Histogram.tsx';
import classes from './Patterns.module.css';

interface Props {
  project: number;
  filter: LogFilter;
  following: Following;
  /** Show the records of one, or all but them. */
  onPattern: (pattern: string, not: boolean) => void;
}

/** The records by what they have in common: few templates stand for many lines. */
export function Patterns({ project, filter, following, onPattern }: Props) {
  const { t } = useTranslation();
  const query = useQuery(logPatternsQuery(project, filter, following));
  const items = query.data?.items ?? [];
  if (query.isError && !query.data) {
    return <Failure error={query.error} retry={() => void query.refetch()} />;
  }
  if (query.data && items.length === 0) {
    return (
      <Empty icon={IconVariable} title={t('logs.no_match')}>
        <p>{t('logs.no_match_hint')}</p>
      </Empty>
    );
  }
  const most = Math.max(1, ...items.map((item) => item.count));
  return (
    <div className={classes.patterns}>
      <Stale query={query} />
      <table className="table">
        <thead>
          <tr>
            <th className="num">{t('logs.count')}</th>
            <th className={classes.share}>{t('logs.share')}</th>
            <th aria-label={t('logs.shape')} />
            <th>{t('logs.gravest')}</th>
            <th>{t('logs.template')}</th>
            <th>{t('logs.services')}</th>
            <th>{t('logs.last')}</th>
            <th aria-label={t('logs.exclude')} />
          </tr>
        </thead>
        <tbody onKeyDown={rowKeys}>
          {query.isPending ? (
            <SkeletonRows rows={12} columns={8} />
          ) : (
            items.map((item) => (
              <tr key={item.pattern} className="link">
                <td className="num">
                  <strong>{count(item.count)}</strong>
                </td>
                <td className={classes.share}>
                  <Bar share={item.count / most} />
                  <span className="dim">{percent(item.share)}</span>
                </td>
                <td className={classes.shape}>
                  <Sparkline values={item.bars} />
                </td>
                <td>
                  <span className="row">
                    <Swatch level={item.level} />
                    {t(`logs.level.${item.level}`)}
                  </span>
                </td>
                <td className={classes.template}>
                  <button
                    type="button"
                    className="row-link"
                    title={item.sample.slice(0, 1000)}
                    onClick={() => onPattern(item.pattern, false)}
                  >
                    <Template item={item} />
                  </button>
                </td>
                <td className={classes.services}>{item.services.join(', ')}</td>
                <td>
                  <When at={item.last} />
                </td>
                <td className={classes.action}>
                  <Tooltip label={t('logs.exclude_pattern')}>
                    <ActionIcon
                      variant="subtle"
                      color="gray"
                      size={24}
                      aria-label={t('logs.exclude_pattern')}
                      onClick={() => onPattern(item.pattern, true)}
                    >
                      <IconFilterMinus size={15} />
                    </ActionIcon>
                  </Tooltip>
                </td>
              </tr>
            ))
          )}
        </tbody>
      </table>
    </div>
  );
}

/** The words of a template, and a mark where its lines differ. */
function Template({ item }: { item: LogPattern }) {
  return item.template.split('<*>').map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text have no other name
    <span key={i}>
      {i > 0 && <em>{'∗'}</em>}
      {part}
    </span>
  ));
}
