import { Modal } from '@mantine/core';
import {
  IconArrowBackUp,
  IconCircleCheckFilled,
  IconCircleOff,
  IconClock,
  IconHistory,
  IconReplace,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Named, priceHistoryQuery, withdrawPrice } from '../../api/prices.ts';
import type { Price } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Empty } from '../../parts/Empty.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import badges from '../../parts/State.module.css';
import { useChange } from '../../parts/useChange.ts';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import { Amount } from './Amount.tsx';
import { KINDS, money } from './draft.ts';
import classes from './Prices.module.css';
import { From } from './PriceTable.tsx';
import { afterWithdrawal, type Standing, standings } from './versions.ts';

const LOOKS = {
  holds: { Icon: IconCircleCheckFilled, tone: 'ok' },
  upcoming: { Icon: IconClock, tone: 'info' },
  past: { Icon: IconHistory, tone: 'none' },
  replaced: { Icon: IconReplace, tone: 'none' },
  withdrawn: { Icon: IconCircleOff, tone: 'none' },
} as const;

interface Props {
  /** Of whose provider: an organisation's, or the installation's with 0. */
  org: number;
  of: Named;
  onClose: () => void;
}

/** What a model has cost and will cost, by whom it was said, and what was taken back. */
export function History({ org, of, onClose }: Props) {
  const { t } = useTranslation();
  useNow(); // tells again as time goes by
  const [withdrawing, setWithdrawing] = useState<Price>();
  const { data: versions, error, isPending, refetch } = useQuery(priceHistoryQuery(org, of));
  const standing = versions ? standings(versions, Date.now()) : [];
  return (
    <Modal
      opened
      onClose={onClose}
      size={1080}
      title={<strong>{t('prices.history_of', { model: of.model })}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <p className="lead">{t('prices.history_lead', { provider: of.provider })}</p>
      <div className="panel scroll-x" aria-busy={isPending}>
        {error && !versions ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : versions?.length === 0 ? (
          <Empty icon={IconHistory} title={t('prices.no_history')}>
            <p>{t(org ? 'prices.own.none_hint' : 'prices.none_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('prices.standing')}</th>
                <th>{t('prices.from')}</th>
                {KINDS.map((kind) => (
                  <th key={kind} className="num">
                    {t(`prices.${kind}`)}
                  </th>
                ))}
                <th>{t('prices.changed')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={3} columns={9} />}
              {versions?.map((version, i) => (
                <Row
                  key={version.version}
                  org={org}
                  version={version}
                  standing={standing[i] ?? 'past'}
                  onWithdraw={() => setWithdrawing(version)}
                />
              ))}
            </tbody>
          </table>
        )}
      </div>
      {withdrawing && versions && (
        <Withdrawal
          org={org}
          version={withdrawing}
          standing={standing[versions.indexOf(withdrawing)] ?? 'past'}
          after={afterWithdrawal(versions, withdrawing)}
          onClose={() => setWithdrawing(undefined)}
        />
      )}
    </Modal>
  );
}

interface RowProps {
  org: number;
  version: Price;
  standing: Standing;
  onWithdraw: () => void;
}

function Row({ org, version, standing, onWithdraw }: RowProps) {
  const { t } = useTranslation();
  const { Icon, tone } = LOOKS[standing];
  const ended = t(org ? 'prices.own.ended' : 'prices.ended');
  const gone = standing === 'withdrawn' || standing === 'replaced';
  return (
    <tr className={gone ? classes.gone : undefined}>
      <td>
        <span className={badges.badge} data-tone={tone}>
          <Icon size={14} aria-hidden />
          {t(`prices.standings.${standing}`)}
        </span>
      </td>
      <td className="nowrap">
        <From price={version} />
      </td>
      {version.ended ? (
        <td colSpan={KINDS.length} className="soft">
          {ended}
        </td>
      ) : (
        KINDS.map((kind) => (
          <td key={kind} className={`num ${classes.amount}`}>
            <Amount price={version} kind={kind} />
          </td>
        ))
      )}
      <td>
        {version.updated_at ? (
          <>
            <When at={version.updated_at} /> <span className="dim">{version.updated_by}</span>
          </>
        ) : (
          <span className="dim">{t('prices.as_installed')}</span>
        )}
        {version.withdrawn_at && (
          <div className={classes.second}>
            {t('prices.withdrawn_by', { name: version.withdrawn_by })} <When at={version.withdrawn_at} />
          </div>
        )}
      </td>
      <td>
        <div className="row-actions">
          {standing !== 'withdrawn' && (
            <RowAction
              icon={IconArrowBackUp}
              label={t('prices.withdraw')}
              of={version.ended ? ended : `${money(version.input)} · ${money(version.output)}`}
              onClick={onWithdraw}
            />
          )}
        </div>
      </td>
    </tr>
  );
}

interface WithdrawalProps {
  org: number;
  version: Price;
  standing: Standing;
  /** What holds then, if anything is known. */
  after?: Price;
  onClose: () => void;
}

function Withdrawal({ org, version, standing, after, onClose }: WithdrawalProps) {
  const { t } = useTranslation();
  const withdraw = useChange((of: number) => withdrawPrice(org, of), {
    refresh: ['prices'],
    done: t('prices.withdrawn'),
    onDone: onClose,
  });
  const amounts = after && { input: money(after.input), output: money(after.output) };
  return (
    <Confirm
      opened
      title={t('prices.withdraw_title')}
      verb={t('prices.withdraw')}
      danger
      busy={withdraw.isPending}
      onClose={onClose}
      onConfirm={() => withdraw.mutate(version.version)}
    >
      <p className={classes.means}>
        {standing === 'replaced'
          ? t('prices.withdraw_replaced')
          : amounts
            ? t('prices.withdraw_before', amounts)
            : t(org ? 'prices.own.withdraw_unknown' : 'prices.withdraw_unknown')}
      </p>
      {(standing === 'holds' || standing === 'past') && <p>{t('prices.withdraw_logged')}</p>}
    </Confirm>
  );
}
