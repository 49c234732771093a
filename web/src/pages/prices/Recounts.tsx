import { Button, Progress } from '@mantine/core';
import { IconBan, IconCircleCheckFilled, IconPlayerStop, IconProgress, IconRefresh } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { cancelRecount, recountsQuery } from '../../api/prices.ts';
import type { Recount } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Failure } from '../../parts/Failure.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import badges from '../../parts/State.module.css';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import classes from './Prices.module.css';
import { RecountForm } from './RecountForm.tsx';
import { daysOf, dayUTC, lastDayUTC } from './recount.ts';

const LOOKS = {
  running: { Icon: IconProgress, tone: 'info' },
  done: { Icon: IconCircleCheckFilled, tone: 'ok' },
  cancelled: { Icon: IconBan, tone: 'none' },
} as const;

/** Counts the costs of logged calls again with the prices of today, and tells what earlier times changed. */
export function Recounts() {
  const { t } = useTranslation();
  const [starting, setStarting] = useState(false);
  const { data: recounts, error, isPending, refetch } = useQuery(recountsQuery);
  const running = recounts?.find((each) => each.state === 'running');
  useCostsAnew(running?.id);
  return (
    <section className={classes.section} aria-labelledby="recounts">
      <div className="page-head">
        <h2 id="recounts">{t('recounts.title')}</h2>
        <Button
          variant="default"
          leftSection={<IconRefresh size={15} />}
          disabled={!recounts || running !== undefined}
          onClick={() => setStarting(true)}
        >
          {t('recounts.start')}
        </Button>
      </div>
      <p className="lead">{t('recounts.lead')}</p>
      <div className="panel scroll-x" aria-busy={isPending}>
        {running && <Running recount={running} />}
        {error && !recounts ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('recounts.state')}</th>
                <th>{t('recounts.days')}</th>
                <th className="num">{t('recounts.changed')}</th>
                <th>{t('recounts.started')}</th>
                <th>{t('recounts.finished')}</th>
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={2} columns={5} />}
              {recounts?.length === 0 && (
                <tr>
                  <td colSpan={5} className="dim">
                    {t('recounts.none')}
                  </td>
                </tr>
              )}
              {recounts?.map((recount) => (
                <Row key={recount.id} recount={recount} />
              ))}
            </tbody>
          </table>
        )}
      </div>
      {starting && <RecountForm onClose={() => setStarting(false)} />}
    </section>
  );
}

/** What shows costs asks anew when a recount that was seen running has ended. */
function useCostsAnew(running: number | undefined) {
  const client = useQueryClient();
  const before = useRef(running);
  useEffect(() => {
    if (before.current !== undefined && before.current !== running) {
      for (const kind of ['unpriced', 'usage', 'bill', 'calls', 'call', 'spending']) {
        void client.invalidateQueries({ queryKey: [kind] });
      }
    }
    before.current = running;
  }, [running, client]);
}

function Running({ recount }: { recount: Recount }) {
  const { t } = useTranslation();
  const cancel = useChange(cancelRecount, { refresh: ['recounts'], done: t('recounts.cancelled') });
  const { done, all } = daysOf(recount);
  return (
    <div className={classes.running}>
      <div className={classes.runningHead}>
        <p>{t('recounts.progress', { done, all, calls: count(recount.calls) })}</p>
        <Button
          variant="default"
          size="compact-xs"
          leftSection={<IconPlayerStop size={14} />}
          loading={cancel.isPending}
          onClick={() => cancel.mutate(recount.id)}
        >
          {t('recounts.cancel')}
        </Button>
      </div>
      <Progress.Root size="md">
        <Progress.Section value={(done / all) * 100} aria-label={t('recounts.title')} />
      </Progress.Root>
      {recount.error && <p className="soft">{t('recounts.failed', { error: recount.error })}</p>}
    </div>
  );
}

function Row({ recount }: { recount: Recount }) {
  const { t } = useTranslation();
  const { Icon, tone } = LOOKS[recount.state];
  const { done, all } = daysOf(recount);
  return (
    <tr>
      <td>
        <span className={badges.badge} data-tone={tone}>
          <Icon size={14} aria-hidden />
          {t(`recounts.states.${recount.state}`)}
        </span>
      </td>
      <td className="nowrap">
        {`${dayUTC(recount.from)} – ${lastDayUTC(recount.to)}`}
        {recount.state !== 'done' && <span className="dim">{` · ${t('recounts.days_done', { done, all })}`}</span>}
      </td>
      <td className="num">{recount.calls === 0 ? t('recounts.no_change') : count(recount.calls)}</td>
      <td className="nowrap">
        <When at={recount.created_at} /> <span className="dim">{recount.created_by}</span>
      </td>
      <td className="nowrap">
        {recount.finished_at ? <When at={recount.finished_at} /> : <span className="dim">{'–'}</span>}
      </td>
    </tr>
  );
}
