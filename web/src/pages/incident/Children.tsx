import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Incident } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { Severity } from '../../parts/Severity.tsx';
import { State } from '../../parts/State.tsx';
import { When } from '../../parts/When.tsx';
import classes from './Incident.module.css';

/** What this incident causes, and what was merged into it. */
export function Children({ incident }: { incident: Incident }) {
  const { t } = useTranslation();
  const children = incident.children ?? [];
  if (children.length === 0) return null;
  return (
    <section aria-labelledby="children">
      <h2 id="children" className={classes.heading}>
        {t('incident.children', { n: children.length })}
      </h2>
      <div className="panel scroll-x">
        <table className="table">
          <tbody>
            {children.map((child) => (
              <tr key={child.id} className="link">
                <td>
                  {child.parent_kind === 'merged' ? (
                    <span className="dim">{t('incident.kind.merged')}</span>
                  ) : (
                    <State incident={child} />
                  )}
                </td>
                <td>
                  <Severity severity={child.severity} />
                </td>
                <td>
                  <Link
                    className="row-link"
                    to="/projects/$project/incidents/$incident"
                    params={{ project: String(child.project_id), incident: String(child.id) }}
                  >
                    {child.title}
                  </Link>
                  <div className="dim">
                    {t(`incident.kind.${child.parent_kind === 'merged' ? 'merged' : 'symptom'}`)} {`#${child.id}`}
                  </div>
                </td>
                <td className="num">{t('incident.times', { times: count(child.matches) })}</td>
                <td>
                  <When at={child.opened_at} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
