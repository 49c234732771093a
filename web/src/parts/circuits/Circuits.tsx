import { Button, Textarea } from '@mantine/core';
import {
  IconCircleCheckFilled,
  IconHandStop,
  IconPlayerPlay,
  IconPlugConnectedX,
  IconPlus,
  IconRefreshAlert,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { circuitsQuery, closeCircuit, openCircuit } from '../../api/circuits.ts';
import { modelServicesQuery } from '../../api/providers.ts';
import type { Circuit, CircuitEdit } from '../../api/types.ts';
import { count, percent } from '../../format/number.ts';
import { usePausedAt } from '../../frame/live.ts';
import { Confirm } from '../Confirm.tsx';
import { Empty } from '../Empty.tsx';
import { Failure } from '../Failure.tsx';
import { holds } from '../Filter.tsx';
import { FormModal } from '../FormModal.tsx';
import { OneOf } from '../OneOf.tsx';
import { RowAction } from '../RowAction.tsx';
import { SkeletonRows } from '../SkeletonRows.tsx';
import { Stale } from '../Stale.tsx';
import badges from '../State.module.css';
import { useChange } from '../useChange.ts';
import { When } from '../When.tsx';
import classes from './Circuits.module.css';
import { readReason } from './reason.ts';

const LOOKS = {
  closed: { Icon: IconCircleCheckFilled, tone: 'ok' },
  open: { Icon: IconPlugConnectedX, tone: 'critical' },
  half_open: { Icon: IconRefreshAlert, tone: 'warning' },
} as const;

/** The alias of the key of a provider that is asked without one. */
const KEYLESS = 'default';

const nameOf = ({ model, key }: CircuitEdit) => (key ? `${model} · ${key}` : model);

interface Props {
  /** Whose providers: an organisation's, or with 0 those that all share. */
  org: number;
  q: string;
}

/** Which models of an owner's providers calls are kept away from, and why; by hand, too. */
export function Circuits({ org, q }: Props) {
  const { t } = useTranslation();
  const [opening, setOpening] = useState<Circuit | 'new'>();
  const [closing, setClosing] = useState<Circuit>();
  const query = useQuery(circuitsQuery(org, usePausedAt()));
  const { data: circuits, error, isPending, refetch } = query;
  const close = useChange((of: CircuitEdit) => closeCircuit(org, of), {
    refresh: ['circuits'],
    done: t('models.closed_again'),
  });
  const shown = circuits?.filter((c) => holds(q, c.provider, c.model, c.key));
  return (
    <section id="circuits" aria-labelledby="circuits-head">
      <div className="page-head">
        <h2 id="circuits-head">{t('models.circuits')}</h2>
        <Button variant="default" leftSection={<IconPlus size={15} />} onClick={() => setOpening('new')}>
          {t('models.open_any')}
        </Button>
      </div>
      <p className="lead">{t('models.circuits_lead')}</p>
      <div className="panel scroll-x" aria-busy={isPending}>
        <Stale query={query} />
        {error && !circuits ? (
          <Failure error={error} retry={() => void refetch()} />
        ) : shown?.length === 0 ? (
          <Empty icon={IconPlugConnectedX} title={q ? t('models.no_match', { q }) : t('models.no_circuits')}>
            <p>{t(q ? 'models.no_match_hint' : 'models.no_circuits_hint')}</p>
          </Empty>
        ) : (
          <table className="table">
            <thead>
              <tr>
                <th>{t('models.state')}</th>
                <th>{t('models.model')}</th>
                <th>{t('models.key')}</th>
                <th>{t('models.reason')}</th>
                <th>{t('models.since')}</th>
                <th>{t('models.until')}</th>
                <th className="num">{t('models.failed_calls')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            <tbody>
              {isPending && <SkeletonRows rows={2} columns={8} />}
              {shown?.map((circuit) => (
                <Row
                  key={`${circuit.provider}/${circuit.model}/${circuit.key}`}
                  circuit={circuit}
                  onOpen={() => setOpening(circuit)}
                  onClose={() => setClosing(circuit)}
                />
              ))}
            </tbody>
          </table>
        )}
      </div>
      {opening && (
        <OpenForm
          org={org}
          circuit={opening === 'new' ? undefined : opening}
          known={circuits ?? []}
          onClose={() => setOpening(undefined)}
        />
      )}
      <Confirm
        opened={closing !== undefined}
        title={t('models.close_title', { model: closing && nameOf(closing) })}
        verb={t('models.close')}
        onClose={() => setClosing(undefined)}
        onConfirm={() => {
          if (closing) close.mutate(closing);
          setClosing(undefined);
        }}
      >
        {t(closing?.manual ? 'models.close_means_hand' : 'models.close_means')}
      </Confirm>
    </section>
  );
}

interface RowProps {
  circuit: Circuit;
  onOpen: () => void;
  onClose: () => void;
}

function Row({ circuit, onOpen, onClose }: RowProps) {
  const { t } = useTranslation();
  const { state, manual, calls, failures, until } = circuit;
  const known = state in LOOKS ? (state as keyof typeof LOOKS) : undefined;
  const { Icon, tone } = manual ? { Icon: IconHandStop, tone: 'critical' } : LOOKS[known ?? 'open'];
  const timed = state === 'open' && !manual && Date.parse(until) > 0;
  return (
    <tr>
      <td>
        <span className={badges.badge} data-tone={tone}>
          <Icon size={14} aria-hidden />
          {manual ? t('models.by_hand') : known ? t(`models.circuit.${known}`) : state}
        </span>
      </td>
      <td>
        <code>{circuit.model}</code> <span className="dim">{circuit.provider}</span>
      </td>
      <td>{circuit.key || <span className="dim">{t('models.no_key')}</span>}</td>
      <td className={classes.reason}>
        {circuit.reason ? <Reason text={circuit.reason} /> : <span className="dim">{'–'}</span>}
      </td>
      <td>
        <When at={circuit.since} />
      </td>
      <td className="nowrap">
        {timed ? <When at={until} /> : <span className="dim">{manual ? t('models.until_closed') : '–'}</span>}
      </td>
      <td className="num">
        {calls === 0 ? (
          <span className="dim">{t('models.no_calls')}</span>
        ) : (
          <>
            {t('models.failed_of', { failures: count(failures), calls: count(calls) })}{' '}
            <span className="dim">{percent(failures / calls)}</span>
          </>
        )}
      </td>
      <td>
        <div className="row-actions">
          {state !== 'closed' && (
            <RowAction icon={IconPlayerPlay} label={t('models.close')} of={nameOf(circuit)} onClick={onClose} />
          )}
          {!manual && <RowAction icon={IconHandStop} label={t('models.open')} of={nameOf(circuit)} onClick={onOpen} />}
        </div>
      </td>
    </tr>
  );
}

function Reason({ text }: { text: string }) {
  const { t } = useTranslation();
  const read = readReason(text);
  const failure = (name: string) => t(`failures.${name as 'timeout'}`, name);
  switch (read.why) {
    case 'failed':
      return t('models.why.failed', {
        failures: count(read.failures),
        calls: count(read.calls),
        last: failure(read.last),
      });
    case 'tried':
      return t('models.why.tried', { last: failure(read.last) });
    case 'by':
      return read.reason ? t('models.why.by_because', read) : t('models.why.by', { name: read.name });
    case 'said':
      return read.text;
  }
}

interface OpenFormProps {
  org: number;
  /** Absent to name one. */
  circuit?: Circuit;
  known: Circuit[];
  onClose: () => void;
}

/** Keeps calls away from a model until it is closed again. */
function OpenForm({ org, circuit, known, onClose }: OpenFormProps) {
  const { t } = useTranslation();
  const { data: services = [] } = useQuery(modelServicesQuery(org));
  const [provider, setProvider] = useState(circuit?.provider ?? '');
  const [model, setModel] = useState(circuit?.model ?? '');
  const [key, setKey] = useState(circuit?.key ?? KEYLESS);
  const [reason, setReason] = useState('');
  const open = useChange(() => openCircuit(org, { provider, model, key, reason }), {
    refresh: ['circuits'],
    done: t('models.opened', { model }),
    onDone: onClose,
  });
  const of = known.filter((each) => each.provider === provider);
  const keysOf = (name: string) => services.filter((each) => each.name === name).flatMap(({ keys }) => keys);
  return (
    <FormModal
      title={circuit ? t('models.open_title', { model: nameOf(circuit) }) : t('models.open_any')}
      verb={t('models.open')}
      busy={open.isPending}
      onSubmit={() => open.mutate(undefined)}
      onClose={onClose}
    >
      <p className={classes.means}>{t('models.open_means')}</p>
      {!circuit && (
        <>
          <OneOf
            label={t('models.provider')}
            required
            data-autofocus
            data={[...new Set([...services.map((each) => each.name), ...known.map((each) => each.provider)])].sort()}
            value={provider}
            onChange={(next) => {
              setProvider(next);
              setKey(keysOf(next)[0]?.alias ?? KEYLESS);
            }}
          />
          <OneOf
            label={t('models.model')}
            required
            data={[...new Set(of.map((each) => each.model))].sort()}
            value={model}
            onChange={setModel}
          />
          <OneOf
            label={t('models.key')}
            description={t('models.key_hint')}
            required
            data={[...new Set([...keysOf(provider).map((each) => each.alias), ...of.map((each) => each.key)])]
              .filter(Boolean)
              .sort()}
            value={key}
            onChange={setKey}
          />
        </>
      )}
      <Textarea
        label={t('models.reason')}
        description={t('models.reason_hint')}
        autosize
        minRows={2}
        maxRows={6}
        maxLength={1000}
        data-autofocus={circuit !== undefined || undefined}
        value={reason}
        onChange={(e) => setReason(e.currentTarget.value)}
      />
    </FormModal>
  );
}
