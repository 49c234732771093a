import { Button, Skeleton } from '@mantine/core';
import { IconCircleCheckFilled, IconPencil, IconTags } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Trans, useTranslation } from 'react-i18next';
import { labelsQuery } from '../../api/roles.ts';
import type { Role } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { MoveProduction } from './MoveProduction.tsx';
import classes from './Role.module.css';
import { inProduction, labelsOf, PRODUCTION, roleLink } from './standing.ts';
import { useGuard } from './useGuard.ts';

/** Which version answers calls, and whether the latest one, which is edited, is it. */
export function Standing({ role }: { role: Role }) {
  const { t } = useTranslation();
  const [releasing, setReleasing] = useState(false);
  const refusedTo = useGuard(role);
  const { data: labels, error, refetch } = useQuery(labelsQuery(role));
  if (error && !labels) return <Failure error={error} retry={() => void refetch()} />;
  if (!labels) return <Skeleton height={46} mb={14} maw={900} aria-busy />;
  const production = inProduction(labels);
  const { version } = role;
  const users = labelsOf(version, labels);
  const ahead = production?.version !== version && production?.canary_version !== version;
  return (
    <div className={classes.standing} data-draft={users.length === 0 || undefined}>
      {production && (
        <div>
          <IconCircleCheckFilled size={16} aria-hidden className={classes.live} />
          <span>
            <Trans
              i18nKey="labels.in_production"
              values={{ version: production.version }}
              components={{
                version: <Link {...roleLink(role, { tab: 'history', version: production.version })} />,
              }}
            />
            {production.canary_version > 0 &&
              ` ${t('labels.with_canary', { version: production.canary_version, share: production.canary_share })}`}
          </span>
        </div>
      )}
      {ahead && (
        <div>
          {users.length === 0 ? <IconPencil size={16} aria-hidden /> : <IconTags size={16} aria-hidden />}
          <span>
            {users.length === 0
              ? t('labels.latest_draft', { version })
              : t('labels.latest_labelled', { version, labels: users.map((each) => each.name).join(', ') })}
          </span>
          {production && (
            <Button
              size="compact-xs"
              variant="default"
              disabled={refusedTo(production) !== undefined}
              title={refusedTo(production)}
              onClick={() => setReleasing(true)}
            >
              {t('labels.release_version', { version })}
            </Button>
          )}
        </div>
      )}
      {releasing && production && (
        <MoveProduction role={role} production={production} version={version} onClose={() => setReleasing(false)} />
      )}
      {!production && <div>{t('labels.none_of', { label: PRODUCTION })}</div>}
    </div>
  );
}
