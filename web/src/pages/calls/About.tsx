import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Call } from '../../api/types.ts';
import classes from './Calls.module.css';

/** Who asked and about what: the incident as a link, anything else as it was named. */
export function About({ call }: { call: Call }) {
  const { t } = useTranslation();
  const incident = /^incident\/(\d+)$/.exec(call.caller_ref)?.[1];
  if (!incident) {
    return <span>{[call.caller_kind, call.caller_name, call.caller_ref].filter(Boolean).join(' · ')}</span>;
  }
  return (
    <Link
      className={classes.about}
      to="/projects/$project/incidents/$incident"
      params={{ project: String(call.project_id), incident }}
    >
      {t('calls.incident', { id: incident })}
    </Link>
  );
}
