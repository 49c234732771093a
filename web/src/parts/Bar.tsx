import type { CSSProperties } from 'react';
import classes from './Bar.module.css';

interface Props {
  /** Of the full width, 0 to 1. */
  share: number;
  /** A state that the colour tells; without one it tells nothing. */
  tone?: string;
  style?: CSSProperties;
}

/** A share as a bar, beside the number that says it to everybody. */
export function Bar({ share, tone, style }: Props) {
  return (
    <div className={classes.bar} style={style} aria-hidden>
      {share > 0 && <i data-tone={tone} style={{ width: `${Math.min(share, 1) * 100}%` }} />}
    </div>
  );
}
