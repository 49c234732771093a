import type { ComponentType, ReactNode } from 'react';
import classes from './Empty.module.css';

interface Props {
  icon: ComponentType<{ size: number; stroke: number }>;
  title: string;
  children?: ReactNode;
}

/** In place of a list that has nothing: why, and what would fill it. */
export function Empty({ icon: Icon, title, children }: Props) {
  return (
    <div className={classes.empty}>
      <Icon size={26} stroke={1.4} aria-hidden />
      <h2>{title}</h2>
      {children}
    </div>
  );
}
