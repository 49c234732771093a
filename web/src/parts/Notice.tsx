import { IconAlertTriangle, IconShieldLock } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import classes from './Notice.module.css';

interface Props {
  tone: 'critical' | 'warning';
  title: string;
  children: ReactNode;
}

/** Something that stands in the way, in a form or above one: what it is, and what to do. */
export function Notice({ tone, title, children }: Props) {
  const Icon = tone === 'critical' ? IconAlertTriangle : IconShieldLock;
  return (
    <div className={classes.notice} data-tone={tone} role="alert">
      <Icon size={18} aria-hidden />
      <strong>{title}</strong>
      <div>{children}</div>
    </div>
  );
}
