import { Button, Skeleton } from '@mantine/core';
import { IconArrowsExchange, IconLock, IconLockOpen, IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { labelsQuery, removeLabel, roleHistoryQuery } from '../../api/roles.ts';
import type { Label, Role } from '../../api/types.ts';
import { Confirm } from '../../parts/Confirm.tsx';
import { Failure } from '../../parts/Failure.tsx';
import { RowAction } from '../../parts/RowAction.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { Changes } from './Changes.tsx';
import { LabelForm } from './LabelForm.tsx';
import { Moves } from './Moves.tsx';
import classes from './Role.module.css';
import { PRODUCTION, roleLink } from './standing.ts';
import { useGuard } from './useGuard.ts';

/** Under which names calls find which versions, and what was done to them. */
export function Labels({ role }: { role: Role }) {
  const { t } = useTranslation();
  const refusedTo = useGuard(role);
  const [moving, setMoving] = useState<Label | 'new'>();
  const [removing, setRemoving] = useState<Label>();
  const { data: labels, error, refetch } = useQuery(labelsQuery(role));
  const { data: versions } = useQuery(roleHistoryQuery(role));
  const removal = useChange((label: Label) => removeLabel(role, label), {
    refresh: ['roles'],
    done: t('labels.removed'),
  });
  if (error && !labels) return <Failure error={error} retry={() => void refetch()} />;
  if (!labels) return <Skeleton height={200} aria-busy />;
  const link = (version: number) => (
    <Link {...roleLink(role, { tab: 'history', version })}>{t('versions.one', { version })}</Link>
  );
  return (
    <div className={classes.labels}>
      <section aria-labelledby="labels">
        <div className="page-head">
          <h2 id="labels">{t('labels.title')}</h2>
          <Button leftSection={<IconPlus size={15} />} disabled={!versions} onClick={() => setMoving('new')}>
            {t('labels.add')}
          </Button>
        </div>
        <p className="lead">{t('labels.lead')}</p>
        <div className="panel scroll-x">
          <table className="table">
            <thead>
              <tr>
                <th>{t('labels.label')}</th>
                <th>{t('labels.version')}</th>
                <th>{t('labels.canary')}</th>
                <th>{t('labels.protection')}</th>
                <th>{t('labels.moved')}</th>
                <th aria-label={t('prices.actions')} />
              </tr>
            </thead>
            <tbody>
              {labels.map((label) => (
                <tr key={label.name}>
                  <td>
                    <code>{label.name}</code>
                  </td>
                  <td className="nowrap">{link(label.version)}</td>
                  <td className="nowrap">
                    {label.canary_version > 0 ? (
                      <>
                        {link(label.canary_version)}
                        {` · ${label.canary_share} %`}
                      </>
                    ) : (
                      <span className="dim">{t('labels.no_canary')}</span>
                    )}
                  </td>
                  <td className="nowrap">
                    <Protection on={label.protected} />
                  </td>
                  <td className="nowrap">
                    <When at={label.updated_at} /> <span className="dim">{label.updated_by}</span>
                  </td>
                  <td>
                    <div className="row-actions">
                      <RowAction
                        icon={IconArrowsExchange}
                        label={t('labels.move')}
                        of={label.name}
                        refused={refusedTo(label)}
                        onClick={() => setMoving(label)}
                      />
                      {label.name !== PRODUCTION && (
                        <RowAction
                          icon={IconTrash}
                          label={t('labels.remove')}
                          of={label.name}
                          refused={refusedTo(label)}
                          onClick={() => setRemoving(label)}
                        />
                      )}
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </section>
      <Moves role={role} />
      {moving && versions && (
        <LabelForm
          role={role}
          label={moving === 'new' ? undefined : moving}
          taken={labels.map((each) => each.name)}
          versions={versions.filter((each) => !each.deleted)}
          onClose={() => setMoving(undefined)}
        />
      )}
      <Confirm
        opened={removing !== undefined}
        title={t('labels.remove_title', { label: removing?.name })}
        verb={t('labels.remove')}
        danger
        onClose={() => setRemoving(undefined)}
        onConfirm={() => {
          if (removing) removal.mutate(removing);
          setRemoving(undefined);
        }}
      >
        {removing && (
          <p className={classes.means}>
            <strong>
              <Changes from={removing} to={null} />
            </strong>
            <br />
            {removing.protected && `${t('labels.is_protected', { label: removing.name })} `}
            {t('labels.remove_means')}
          </p>
        )}
      </Confirm>
    </div>
  );
}

function Protection({ on }: { on: boolean }) {
  const { t } = useTranslation();
  const Icon = on ? IconLock : IconLockOpen;
  return (
    <span className={on ? 'row' : 'row dim'}>
      <Icon size={15} aria-hidden />
      {t(on ? 'labels.protected' : 'labels.unprotected')}
    </span>
  );
}
