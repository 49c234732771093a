import { Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { rulesQuery } from '../../api/rules.ts';
import type { Matchers } from '../../api/types.ts';
import classes from './Silences.module.css';

export interface MatcherDraft {
  rule: string | null;
  service: string;
  phase: string;
  subject: string;
  /** name=value, separated by commas. */
  labels: string;
}

export const EMPTY: MatcherDraft = { rule: null, service: '', phase: '', subject: '', labels: '' };

/** What the API takes; without what was left empty. */
export function matchersOf(draft: MatcherDraft): Matchers {
  const labels = draft.labels
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair.includes('='))
    .map((pair): [string, string] => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    });
  return {
    rule_id: draft.rule ? Number(draft.rule) : undefined,
    service: draft.service.trim() || undefined,
    phase: draft.phase.trim() || undefined,
    subject: draft.subject.trim() || undefined,
    labels: labels.length > 0 ? Object.fromEntries(labels) : undefined,
  };
}

interface Props {
  project: number;
  draft: MatcherDraft;
  onChange: (part: Partial<MatcherDraft>) => void;
}

/** What a silence or a maintenance window is about; each field that is filled in must hold. */
export function MatcherFields({ project, draft, onChange }: Props) {
  const { t } = useTranslation();
  const { data: rules } = useQuery(rulesQuery(project));
  const field = (name: 'service' | 'phase' | 'subject' | 'labels') => (
    <TextInput
      label={t(`silences.match.${name}`)}
      placeholder={t(name === 'labels' ? 'silences.labels_hint' : 'silences.any')}
      value={draft[name]}
      onChange={(event) => onChange({ [name]: event.currentTarget.value })}
    />
  );
  return (
    <>
      <Select
        label={t('silences.match.rule')}
        placeholder={t('silences.any')}
        clearable
        searchable
        data={(rules ?? []).map((r) => ({ value: String(r.id), label: r.name }))}
        value={draft.rule}
        onChange={(rule) => onChange({ rule })}
      />
      <div className={classes.pair}>
        {field('service')}
        {field('phase')}
      </div>
      <div className={classes.pair}>
        {field('subject')}
        {field('labels')}
      </div>
    </>
  );
}
