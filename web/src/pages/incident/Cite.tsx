import { Tooltip } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import type { Incident } from '../../api/types.ts';
import { factTitle } from './fact.ts';
import classes from './Incident.module.css';

/** The chips behind a point: each leads to its fact. */
export function Cite({ ids, incident }: { ids: string[] | null; incident: Incident }) {
  const { t } = useTranslation();
  return (ids ?? []).map((id) => {
    const fact = incident.evidence?.find((f) => f.id === id);
    const title = fact ? factTitle(fact) : '';
    return (
      <Tooltip key={id} label={title || id} maw={420} multiline>
        <Link
          className={classes.chip}
          to="."
          search={(old) => ({ ...old, fact: id, tab: undefined })}
          replace
          resetScroll={false}
          aria-label={t('incident.cite', { id, title })}
        >
          {id}
        </Link>
      </Tooltip>
    );
  });
}
