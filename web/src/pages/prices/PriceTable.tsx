import { IconClock, IconPencil, IconTrash } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Price } from '../../api/types.ts';
import { RowAction } from '../../parts/RowAction.tsx';
import { rowKeys } from '../../parts/rowKeys.ts';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import badges from '../../parts/State.module.css';
import { useNow } from '../../parts/useNow.ts';
import { When } from '../../parts/When.tsx';
import { Amount } from './Amount.tsx';
import { KINDS } from './draft.ts';
import classes from './Prices.module.css';

interface Props {
  /** Of whose providers: an organisation's, or the installation's with 0. */
  org: number;
  /** Absent while they are on their way. */
  prices?: Price[];
  onEdit: (price: Price) => void;
  onDelete: (price: Price) => void;
}

/** What each model costs now, by kind of token; a row opens the model's history. */
export function PriceTable({ org, prices, onEdit, onDelete }: Props) {
  const { t } = useTranslation();
  return (
    <table className="table">
      <thead>
        <tr>
          <th>{t('prices.model')}</th>
          {KINDS.map((kind) => (
            <th key={kind} className="num">
              {t(`prices.${kind}`)}
            </th>
          ))}
          <th>{t('prices.from')}</th>
          <th>{t('prices.changed')}</th>
          <th aria-label={t('prices.actions')} />
        </tr>
      </thead>
      <tbody onKeyDown={rowKeys}>
        {!prices && <SkeletonRows rows={8} columns={9} />}
        {prices?.map((price) => (
          <Row
            key={`${price.provider}/${price.model}`}
            org={org}
            price={price}
            onEdit={() => onEdit(price)}
            onDelete={() => onDelete(price)}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  org: number;
  price: Price;
  onEdit: () => void;
  onDelete: () => void;
}

function Row({ org, price, onEdit, onDelete }: RowProps) {
  const { t } = useTranslation();
  return (
    <tr className="link">
      <td>
        <Link
          to="/prices"
          search={(old) => ({ ...old, org, history: `${price.provider}/${price.model}` })}
          resetScroll={false}
          className="row-link"
        >
          <code>{price.model}</code>
        </Link>
        <div className={classes.second}>{price.provider}</div>
      </td>
      {KINDS.map((kind) => (
        <td key={kind} className="num">
          <Amount price={price} kind={kind} />
        </td>
      ))}
      <td>
        <From price={price} />
        {price.upcoming > 0 && (
          <div>
            <span className={badges.badge} data-tone="info">
              <IconClock size={13} aria-hidden />
              {t('prices.upcoming_changes', { count: price.upcoming })}
            </span>
          </div>
        )}
      </td>
      <td>
        {price.updated_at ? (
          <>
            <When at={price.updated_at} />
            <div className={classes.second}>{price.updated_by}</div>
          </>
        ) : (
          <span className="dim">{t('prices.as_installed')}</span>
        )}
      </td>
      <td>
        <div className={`row-actions ${classes.above}`}>
          <RowAction icon={IconPencil} label={t('action.edit')} of={price.model} onClick={onEdit} />
          <RowAction icon={IconTrash} label={t('action.delete')} of={price.model} onClick={onDelete} />
        </div>
      </td>
    </tr>
  );
}

/** From when a price holds; one that does not hold yet says so. */
export function From({ price: { from } }: { price: Price }) {
  const { t } = useTranslation();
  useNow(); // tells again as time goes by; what was set a moment ago has begun
  if (!from) return <span className="dim">{t('prices.always')}</span>;
  if (Date.parse(from) <= Date.now()) return <When at={from} clock />;
  return (
    <>
      <When at={from} clock /> <span className="dim">{t('prices.not_yet')}</span>
    </>
  );
}
