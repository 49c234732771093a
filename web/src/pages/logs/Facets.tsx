import { ActionIcon, Tooltip } from '@mantine/core';
import { IconCheck, IconChevronDown, IconChevronRight, IconColumnInsertRight, IconMinus } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { LogFacets } from '../../api/types.ts';
import { count } from '../../format/number.ts';
import { excludes, find, writable } from '../../parts/query/language.ts';
import classes from './Facets.module.css';

// The fields that stand open at first; the others are opened on demand.
const OPEN = ['service', 'environment', 'instance', 'version', 'logger', 'exception'];
// Values shown before "more".
const FEW = 5;

interface Props {
  facets: LogFacets;
  query: string;
  columns: readonly string[];
  onToggle: (field: string, value: string, not: boolean) => void;
  onColumn: (field: string) => void;
}

/** The fields of the records found, with their values: a click asks for one, or for all but it. */
export function Facets({ facets, query, columns, onToggle, onColumn }: Props) {
  const { t } = useTranslation();
  const [narrow, setNarrow] = useState('');
  const fields = facets.fields.filter(
    ({ field, values }) =>
      field !== 'level' &&
      writable(field) &&
      (field.toLowerCase().includes(narrow) || values.some(({ value }) => value.toLowerCase().includes(narrow))),
  );
  return (
    <aside className={classes.facets} aria-label={t('logs.facets')}>
      <input
        type="search"
        className={classes.narrow}
        placeholder={t('logs.narrow')}
        aria-label={t('logs.narrow')}
        value={narrow}
        onChange={(event) => setNarrow(event.currentTarget.value.toLowerCase())}
      />
      {fields.map((facet) => (
        <Field
          key={facet.field}
          facet={facet}
          query={query}
          open={OPEN.includes(facet.field) || narrow !== ''}
          column={columns.includes(facet.field)}
          onToggle={onToggle}
          onColumn={onColumn}
        />
      ))}
      <p className={classes.of}>{t('logs.facets_of', { count: facets.records, records: count(facets.records) })}</p>
    </aside>
  );
}

interface FieldProps extends Pick<Props, 'query' | 'onToggle' | 'onColumn'> {
  facet: LogFacets['fields'][number];
  open: boolean;
  column: boolean;
}

function Field({ facet, query, open: first, column, onToggle, onColumn }: FieldProps) {
  const { t } = useTranslation();
  const [opened, setOpened] = useState<boolean>();
  const [all, setAll] = useState(false);
  const open = opened ?? first;
  const Chevron = open ? IconChevronDown : IconChevronRight;
  const sum = Math.max(...facet.values.map((v) => v.count), 1);
  const name = facet.field.replace(/^attr\./, '');
  return (
    <section>
      <div className={classes.head}>
        <button type="button" aria-expanded={open} onClick={() => setOpened(!open)}>
          <Chevron size={13} aria-hidden />
          <span className="clip" title={facet.field}>
            {name}
          </span>
        </button>
        <Tooltip label={t(column ? 'logs.column_remove' : 'logs.column_add')}>
          <ActionIcon
            className={classes.aside}
            variant="subtle"
            color={column ? undefined : 'gray'}
            size={20}
            data-on={column || undefined}
            aria-label={`${t(column ? 'logs.column_remove' : 'logs.column_add')}: ${name}`}
            onClick={() => onColumn(facet.field)}
          >
            <IconColumnInsertRight size={13} />
          </ActionIcon>
        </Tooltip>
      </div>
      {open &&
        facet.values.slice(0, all ? undefined : FEW).map(({ value, count: n }) => {
          const term = find(query, facet.field, value);
          const state = term && (excludes(term) ? 'out' : 'in');
          return (
            <div key={value} className={classes.value} data-state={state}>
              <button
                type="button"
                aria-pressed={state === 'in'}
                title={value}
                onClick={() => onToggle(facet.field, value, false)}
              >
                <i style={{ width: `${(n / sum) * 100}%` }} />
                {state === 'in' && <IconCheck size={12} stroke={3} aria-hidden />}
                <span className="clip">{value}</span>
                <em>{count(n)}</em>
              </button>
              <Tooltip label={t('logs.exclude')}>
                <ActionIcon
                  className={classes.aside}
                  variant="subtle"
                  color="gray"
                  size={20}
                  data-on={state === 'out' || undefined}
                  aria-pressed={state === 'out'}
                  aria-label={t('logs.exclude_value', { value })}
                  onClick={() => onToggle(facet.field, value, true)}
                >
                  <IconMinus size={13} />
                </ActionIcon>
              </Tooltip>
            </div>
          );
        })}
      {open && !all && facet.values.length > FEW && (
        <button type="button" className={classes.more} onClick={() => setAll(true)}>
          {t('logs.more_values', { count: facet.values.length - FEW })}
        </button>
      )}
    </section>
  );
}
