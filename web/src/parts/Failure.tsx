import { Button } from '@mantine/core';
import { IconCloudOff, IconFaceIdError, IconLock, IconZoomExclamation } from '@tabler/icons-react';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem, type Problem } from '../api/problem.ts';
import classes from './Failure.module.css';

const ICONS = {
  offline: IconCloudOff,
  unavailable: IconCloudOff,
  denied: IconLock,
  unauthenticated: IconLock,
  not_found: IconZoomExclamation,
} as const;

interface Props {
  error: unknown;
  retry?: () => void;
  children?: ReactNode;
}

/** Says what happened, what it means and what to do, instead of the content that could not be had. */
export function Failure({ error, retry, children }: Props) {
  const { t } = useTranslation();
  const problem = asProblem(error);
  const { reason } = problem;
  const Icon = ICONS[reason as keyof typeof ICONS] ?? IconFaceIdError;
  return (
    <div className={classes.failure} role="alert">
      <Icon size={28} stroke={1.5} aria-hidden />
      <div>
        <h2>{t(`problem.${reason}.what`)}</h2>
        <p>{t(`problem.${reason}.means`)}</p>
        <p>{t(`problem.${reason}.todo`)}</p>
        <Detail problem={problem} />
        <div className={classes.actions}>
          {retry && (
            <Button variant="default" onClick={retry}>
              {t('problem.retry')}
            </Button>
          )}
          {children}
        </div>
      </div>
    </div>
  );
}

function Detail({ problem }: { problem: Problem }) {
  const { t } = useTranslation();
  if (!problem.detail && !problem.id) return null;
  return (
    <p className={classes.detail}>
      {problem.detail && <code>{problem.detail}</code>}
      {problem.id && <code>{t('problem.id', { id: problem.id })}</code>}
    </p>
  );
}

/** A page that broke: refused by the server, or our own mistake. */
export function Broken({ error }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <div className="page">
      <Failure error={error} retry={() => void router.invalidate()} />
    </div>
  );
}

/** An address that leads nowhere. */
export function Missing() {
  const { t } = useTranslation();
  return (
    <div className="page">
      <div className={classes.failure}>
        <IconZoomExclamation size={28} stroke={1.5} aria-hidden />
        <div>
          <h2>{t('problem.not_found.what')}</h2>
          <p>{t('problem.not_found.means')}</p>
          <p>
            <Link to="/">{t('problem.home')}</Link>
          </p>
        </div>
      </div>
    </div>
  );
}
