import { Button, Skeleton } from '@mantine/core';
import { IconArrowBackUp, IconCopy, IconRocket } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { labelsQuery, roleHistoryQuery } from '../../api/roles.ts';
import type { Label, Role, RoleVersion } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { Versions } from '../../parts/Versions.tsx';
import { MoveProduction } from './MoveProduction.tsx';
import { settingsText } from './roleText.ts';
import { inProduction, labelsOf, PRODUCTION, roleLink } from './standing.ts';
import { useGuard } from './useGuard.ts';

interface Props {
  role: Role;
  /** Puts an old version into the editor. */
  onCopy: (old: RoleVersion) => void;
}

/** Every version with its author and why it was made, what it changed against any other, and the way back to it. */
export function History({ role, onCopy }: Props) {
  const { t } = useTranslation();
  const { version, against } = useSearch({ from: '/home/roles/$role' });
  const [moving, setMoving] = useState<number>();
  const { data: versions, error, refetch } = useQuery(roleHistoryQuery(role));
  const { data: labels = [] } = useQuery(labelsQuery(role));
  const production = inProduction(labels);
  const refused = useGuard(role)(production);
  if (error && !versions) return <Failure error={error} retry={() => void refetch()} />;
  if (!versions) return <Skeleton height={320} aria-busy />;
  const mark = (label: Label, of: number) => {
    const name = label.name === PRODUCTION ? t('labels.production') : label.name;
    return label.version === of ? name : t('labels.canary_in', { label: name, share: label.canary_share });
  };
  return (
    <>
      <Versions
        versions={versions.map((v) => ({
          version: v.version,
          at: v.updated_at,
          by: v.updated_by,
          deleted: v.deleted,
          notes: v.notes,
          marks: v.deleted ? [] : labelsOf(v.version, labels).map((label) => mark(label, v.version)),
          parts: [
            { name: t('roles.settings'), text: settingsText(v) },
            { name: t('roles.system_message'), text: v.system_message },
            { name: t('roles.response_format'), json: v.response_format ?? undefined },
          ],
        }))}
        chosen={version}
        against={against}
        link={(of, other) => roleLink(role, { tab: 'history', version: of, against: other })}
        actions={(of) => {
          const old = versions.find((v) => v.version === of);
          const back = production && of < production.version;
          return (
            <>
              {old && of !== role.version && (
                <Button variant="default" leftSection={<IconCopy size={15} />} onClick={() => onCopy(old)}>
                  {t('roles.copy')}
                </Button>
              )}
              {production && of !== production.version && !old?.deleted && (
                <Button
                  variant="default"
                  disabled={refused !== undefined}
                  title={refused}
                  leftSection={back ? <IconArrowBackUp size={15} /> : <IconRocket size={15} />}
                  onClick={() => setMoving(of)}
                >
                  {t(back ? 'labels.roll_back' : 'labels.release')}
                </Button>
              )}
            </>
          );
        }}
      />
      {moving !== undefined && production && (
        <MoveProduction role={role} production={production} version={moving} onClose={() => setMoving(undefined)} />
      )}
    </>
  );
}
