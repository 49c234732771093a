import { Button, Skeleton } from '@mantine/core';
import { IconHistory } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { editOf, roleHistoryQuery, updateRole } from '../../api/roles.ts';
import type { Role, RoleVersion } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { useChange } from '../../parts/useChange.ts';
import { When } from '../../parts/When.tsx';
import { changes, type Line, roleText } from './diff.ts';
import classes from './Role.module.css';

const SIGNS = { added: '+', removed: '−', same: '' } as const;

/** Every version with its author, and what the chosen one changed. */
export function History({ role }: { role: Role }) {
  const { t } = useTranslation();
  const { version } = useSearch({ from: '/home/roles/$role' });
  const { data: versions, error, refetch } = useQuery(roleHistoryQuery(role.code));
  if (error && !versions) return <Failure error={error} retry={() => void refetch()} />;
  if (!versions) return <Skeleton height={320} aria-busy />;
  const at = Math.max(
    0,
    versions.findIndex((each) => each.version === version),
  );
  const shown = versions[at];
  return (
    <div className={classes.history}>
      <ol className={`panel ${classes.versions}`} aria-label={t('roles.versions')}>
        {versions.map((each, i) => (
          <li key={each.version}>
            <Link
              to="/roles/$role"
              params={{ role: role.code }}
              search={{ tab: 'history', version: each.version }}
              replace
              resetScroll={false}
              aria-current={i === at || undefined}
            >
              <strong>{t('roles.version_of', { version: each.version })}</strong>
              <When at={each.updated_at} />
              <span className="dim">
                {each.updated_by}
                {each.version === role.version && ` · ${t('roles.current')}`}
                {each.deleted && ` · ${t('roles.was_deleted')}`}
              </span>
            </Link>
          </li>
        ))}
      </ol>
      {shown && <Shown role={role} version={shown} before={versions[at + 1]} />}
    </div>
  );
}

function Shown({ role, version, before }: { role: Role; version: RoleVersion; before?: RoleVersion }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const restore = useChange(() => updateRole(role.code, role.version, editOf(version)), {
    refresh: ['roles'],
    done: t('roles.restored', { from: version.version, version: role.version + 1 }),
    onDone: (saved: Role) =>
      void navigate({
        to: '/roles/$role',
        params: { role: role.code },
        search: { tab: 'history', version: saved.version },
        replace: true,
      }),
  });
  const lines: Line[] = before
    ? changes(roleText(before), roleText(version))
    : roleText(version)
        .split('\n')
        .map((text) => ({ change: 'same', text }));
  return (
    <section className={`panel ${classes.shown}`} aria-labelledby="shown">
      <div className={classes.shownHead}>
        <h2 id="shown">
          {before
            ? t('roles.compared', { version: version.version, before: before.version })
            : t('roles.first', { version: version.version })}
        </h2>
        {version.version !== role.version && (
          <Button
            variant="default"
            leftSection={<IconHistory size={15} />}
            loading={restore.isPending}
            onClick={() => restore.mutate(undefined)}
          >
            {t('roles.restore')}
          </Button>
        )}
      </div>
      {lines.length === 0 && (
        <p className={classes.gap}>{t(version.deleted ? 'roles.only_deleted' : 'roles.no_change')}</p>
      )}
      <div className={classes.diff}>
        {lines.map((line, i) =>
          line.change === 'gap' ? (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place in the text
            <div key={i} className={classes.gap}>
              {t('roles.unchanged', { lines: line.lines })}
            </div>
          ) : (
            // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place in the text
            <div key={i} className={classes.line} data-change={line.change}>
              <i>{SIGNS[line.change]}</i>
              <span>{line.text || ' '}</span>
            </div>
          ),
        )}
      </div>
    </section>
  );
}
