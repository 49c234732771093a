import { Button } from '@mantine/core';
import {
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleOff,
  IconFileSettings,
  IconHome,
  IconKey,
  IconPencil,
  IconPlayerPlay,
  IconPlugConnectedX,
  IconPower,
  IconRefreshAlert,
  IconReplace,
  IconTrash,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ComponentType, ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { ModelService } from '../../api/types.ts';
import { count, percent } from '../../format/number.ts';
import { RowAction } from '../../parts/RowAction.tsx';
import badges from '../../parts/State.module.css';
import { When } from '../../parts/When.tsx';
import type { KeyRow } from './health.ts';
import classes from './Providers.module.css';

const LOOKS = {
  none: { Icon: IconCircleDashed, tone: 'none' },
  closed: { Icon: IconCircleCheckFilled, tone: 'ok' },
  half_open: { Icon: IconRefreshAlert, tone: 'warning' },
  open: { Icon: IconPlugConnectedX, tone: 'critical' },
} as const;

interface Props {
  provider: ModelService;
  rows: KeyRow[];
  /** What could not be had yet, and is not told as if there were nothing. */
  unknown: { health: boolean; circuits: boolean };
  onProvider: (what: 'edit' | 'delete' | 'add_key') => void;
  onKey: (what: 'test' | 'switch' | 'replace_key' | 'delete_key', row: KeyRow) => void;
}

/** A provider, and below it each of its keys with how calls with it go. */
export function ProviderRows({ provider, rows, unknown, onProvider, onKey }: Props) {
  const { t } = useTranslation();
  const { name, configured } = provider;
  return (
    <tbody>
      <tr className={classes.group}>
        <td colSpan={7}>
          <div className={classes.head}>
            <h2>{name}</h2>
            <span className="soft">{provider.kind}</span>
            {provider.base_url && <code>{provider.base_url}</code>}
            {configured && (
              <Mark icon={IconFileSettings} tone="info">
                {t('providers.configured')}
              </Mark>
            )}
            {provider.in_house && (
              <Mark icon={IconHome} tone="info">
                {t('providers.in_house_mark')}
              </Mark>
            )}
            {!provider.enabled && (
              <Mark icon={IconCircleOff} tone="none">
                {t('providers.off')}
              </Mark>
            )}
            {provider.shadowed && (
              <Mark icon={IconCircleOff} tone="warning">
                {t('providers.shadowed')}
              </Mark>
            )}
            {!configured && (
              <span className={classes.actions}>
                <Button
                  variant="default"
                  size="compact-xs"
                  leftSection={<IconKey size={14} />}
                  aria-label={t('providers.add_key_to', { name })}
                  onClick={() => onProvider('add_key')}
                >
                  {t('providers.add_key')}
                </Button>
                <RowAction icon={IconPencil} label={t('action.edit')} of={name} onClick={() => onProvider('edit')} />
                <RowAction icon={IconTrash} label={t('action.delete')} of={name} onClick={() => onProvider('delete')} />
              </span>
            )}
          </div>
        </td>
      </tr>
      {rows.length === 0 && (
        <tr>
          <td colSpan={7} className={`${classes.key} soft`}>
            {t('providers.no_key')}
          </td>
        </tr>
      )}
      {rows.map((row) => (
        <KeyRows key={row.alias} provider={provider} row={row} unknown={unknown} onKey={onKey} />
      ))}
    </tbody>
  );
}

function KeyRows({ provider, row, unknown, onKey }: Omit<Props, 'rows' | 'onProvider'> & { row: KeyRow }) {
  const { t } = useTranslation();
  const { health } = row;
  const of = `${provider.name} · ${row.alias}`;
  const editable = !provider.configured && !row.keyless;
  const nothing = <span className="dim">{'–'}</span>;
  return (
    <tr>
      <td className={classes.key}>
        {row.keyless ? (
          <span className="soft">{t('providers.keyless')}</span>
        ) : (
          <>
            {row.alias} <span className="dim">{row.lastFour && `…${row.lastFour}`}</span>
          </>
        )}
      </td>
      <td>
        <Circuit provider={provider} row={row} unknown={unknown.circuits} />
      </td>
      <td className="num">{unknown.health ? nothing : count(health?.calls ?? 0)}</td>
      <td className="num">{health?.calls ? percent(health.failures / health.calls) : nothing}</td>
      <td>{health?.last_ok ? <When at={health.last_ok} /> : nothing}</td>
      <td className={classes.names}>
        {health?.last_failure ? (
          <>
            <When at={health.last_failure} />{' '}
            <span className="soft">{t(`failures.${health.last_class as 'timeout'}`, health.last_class)}</span>{' '}
            {health.last_code && <code>{health.last_code}</code>}
          </>
        ) : (
          nothing
        )}
      </td>
      <td>
        <div className="row-actions">
          {!provider.shadowed && (
            <RowAction icon={IconPlayerPlay} label={t('providers.test')} of={of} onClick={() => onKey('test', row)} />
          )}
          {editable && (
            <>
              <RowAction
                icon={IconPower}
                label={t(row.enabled ? 'providers.switch_off' : 'providers.switch_on')}
                of={of}
                onClick={() => onKey('switch', row)}
              />
              <RowAction
                icon={IconReplace}
                label={t('providers.replace')}
                of={of}
                onClick={() => onKey('replace_key', row)}
              />
              <RowAction icon={IconTrash} label={t('action.delete')} of={of} onClick={() => onKey('delete_key', row)} />
            </>
          )}
        </div>
      </td>
    </tr>
  );
}

function Circuit({ provider, row, unknown }: { provider: ModelService; row: KeyRow; unknown: boolean }) {
  const { t } = useTranslation();
  if (!row.enabled || !provider.enabled || provider.shadowed) {
    return (
      <Mark icon={IconCircleOff} tone="none">
        {t('providers.off')}
      </Mark>
    );
  }
  if (unknown) return <span className="dim">{'–'}</span>;
  const { state, models } = row.circuit;
  const { Icon, tone } = LOOKS[state];
  return (
    <div className={classes.names}>
      <Mark icon={Icon} tone={tone}>
        {state === 'none' ? t('providers.unasked') : t(`models.circuit.${state}`)}
      </Mark>{' '}
      {models.length > 0 &&
        (provider.org_id ? (
          <Link to="." search={(old) => ({ ...old })} hash="circuits">
            {models.join(', ')}
          </Link>
        ) : (
          <Link to="/models" search={{ q: provider.name }}>
            {models.join(', ')}
          </Link>
        ))}
    </div>
  );
}

interface MarkProps {
  icon: ComponentType<{ size: number }>;
  tone: 'ok' | 'warning' | 'critical' | 'info' | 'none';
  children: ReactNode;
}

function Mark({ icon: Icon, tone, children }: MarkProps) {
  return (
    <span className={badges.badge} data-tone={tone}>
      <Icon size={14} aria-hidden />
      {children}
    </span>
  );
}
