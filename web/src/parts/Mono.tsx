import type { ReactNode } from 'react';
import { Copy } from './Copy.tsx';
import classes from './Mono.module.css';

/** An id, host or name in monospace that can be copied where it stands. */
export function Mono({ children, text, what }: { children?: ReactNode; text: string; what?: string }) {
  return (
    <span className={classes.mono}>
      <code>{children ?? text}</code>
      <Copy text={text} what={what} className={classes.copy} />
    </span>
  );
}

/** A block of text as it was sent or run: the alarm, SQL, a stack trace. */
export function Block({
  text,
  what,
  wrap = true,
  tall,
}: {
  text: string;
  what: string;
  wrap?: boolean;
  tall?: boolean;
}) {
  return (
    <div className={classes.block}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be reachable by keyboard */}
      <pre data-wrap={wrap || undefined} data-tall={tall || undefined} tabIndex={0} role="group" aria-label={what}>
        {text}
      </pre>
      <Copy text={text} what={what} className={classes.corner} />
    </div>
  );
}
