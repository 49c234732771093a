import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { type IssueFilter, issueFacetsQuery } from '../../api/issues.ts';
import type { Following } from '../../api/pages.ts';
import { meQuery } from '../../api/session.ts';
import { count } from '../../format/number.ts';
import classes from './Issues.module.css';

interface Props {
  project: number;
  filter: IssueFilter;
  following: Following;
  onChange: (next: { service?: string; version?: string; assignee?: string }) => void;
}

interface Option {
  value: string;
  label: string;
  count: number;
}

/** Narrows the inbox by service, version and assignee; each choice says how many issues it would leave. */
export function Narrow({ project, filter, following, onChange }: Props) {
  const { t } = useTranslation();
  const { data } = useQuery(issueFacetsQuery(project, filter, following));
  const { data: me } = useQuery(meQuery);
  const named = (of: { value: string; count: number }[] | undefined): Option[] =>
    (of ?? []).map(({ value, count }) => ({ value, label: value, count }));
  const people: Option[] = (data?.assignees ?? []).map(({ id, name, count }) => ({
    value: String(id),
    label: id < 0 ? t('issues.nobody') : id === me?.user.id ? t('issues.me') : name,
    count,
  }));
  const mine = String(me?.user.id ?? '');
  return (
    <>
      <Choice
        label={t('issues.service')}
        options={named(data?.services)}
        value={filter.service}
        onChange={(service) => onChange({ service })}
      />
      <Choice
        label={t('issues.version')}
        options={named(data?.versions)}
        value={filter.version}
        onChange={(version) => onChange({ version })}
      />
      <Choice
        label={t('issues.column.who')}
        options={
          me && !people.some((p) => p.value === mine)
            ? [{ value: mine, label: t('issues.me'), count: 0 }, ...people]
            : people
        }
        value={filter.assignee?.toString()}
        onChange={(assignee) => onChange({ assignee })}
      />
    </>
  );
}

interface ChoiceProps {
  label: string;
  options: Option[];
  value: string | undefined;
  onChange: (value: string | undefined) => void;
}

function Choice({ label, options, value, onChange }: ChoiceProps) {
  // What the address asks for is shown even where it leaves nothing.
  const all =
    !value || options.some((o) => o.value === value) ? options : [{ value, label: value, count: 0 }, ...options];
  const counts = new Map(all.map((o) => [o.value, o.count]));
  return (
    <Select
      aria-label={label}
      placeholder={label}
      w={158}
      clearable
      searchable={all.length > 8}
      data={all.map((o) => ({ value: o.value, label: o.label }))}
      value={value ?? null}
      onChange={(next) => onChange(next ?? undefined)}
      comboboxProps={{ width: 240, position: 'bottom-start' }}
      renderOption={({ option }) => (
        <span className={classes.option}>
          <span className="clip">{option.label}</span>
          <span className="dim">{count(counts.get(option.value) ?? 0)}</span>
        </span>
      )}
    />
  );
}
