import type { Look } from './look.ts';
import classes from './Trace.module.css';

/** What tells a service apart from the others: a colour, and a shape where colours do not. */
export const Swatch = ({ name, look }: { name: string; look?: Look }) => (
  <i
    className={classes.swatch}
    data-shape={look?.shape}
    style={{ background: look?.colour }}
    title={name}
    aria-hidden
  />
);

/** A service by colour, shape and name. */
export function ServiceName({ name, look }: { name: string; look?: Look }) {
  return (
    <span className={classes.service}>
      <Swatch name={name} look={look} />
      {name}
    </span>
  );
}
