import type { Host } from '../../api/types.ts';
import { percent } from '../../format/number.ts';
import { Bar } from '../../parts/Bar.tsx';
import classes from './Hosts.module.css';

interface Props {
  host: Host;
  /** What the share is of: the bar takes the colour of the host's state when it is the reason. */
  of: 'cpu' | 'memory' | 'disk';
  note?: string;
}

/** A share of a host in a number and a bar. */
export function ShareCell({ host, of, note }: Props) {
  const share = host[of];
  const { state, reason } = host.health;
  return (
    <td className={`num ${classes.share}`}>
      {share === null ? (
        '–'
      ) : (
        <>
          {percent(share)}
          <Bar
            share={share}
            tone={reason === of ? state : undefined}
            style={{ height: 4, marginTop: 3, borderRadius: 2 }}
          />
        </>
      )}
      {note && <div className="dim">{note}</div>}
    </td>
  );
}
