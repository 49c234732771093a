import type { Look } from './look.ts';
import classes from './Trace.module.css';

/** A service by colour, shape and name. */
export function ServiceName({ name, look }: { name: string; look?: Look }) {
  return (
    <span className={classes.service}>
      <i className={classes.swatch} data-shape={look?.shape} style={{ background: look?.colour }} aria-hidden />
      {name}
    </span>
  );
}
