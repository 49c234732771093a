import { Button, Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Fragment } from 'react';
import { useTranslation } from 'react-i18next';
import { type CallFilter, callAskersQuery, callFacetsQuery } from '../../api/calls.ts';
import { usePausedAt } from '../../frame/live.ts';
import type { RangeSearch } from '../../frame/range.ts';
import { useProjectId } from '../../frame/useProject.ts';
import { Filter } from '../../parts/Filter.tsx';
import { askersOf } from './askers.ts';
import classes from './Calls.module.css';

/** How the address says which calls are shown. */
export interface CallSearch {
  role?: string;
  /** Whose role it is, where the organisation has its own of the same code. */
  of?: 'org' | 'installation';
  version?: number;
  ref?: string;
  /** Provider and model, with a slash between them. */
  model?: string;
  status?: string;
  schema?: 'valid' | 'invalid' | 'none';
  caller?: string;
  /** Number of an account, 0 for none. */
  person?: string;
  /** Number of an API token, 0 for none. */
  token?: string;
  purpose?: string;
  min?: number;
  q?: string;
}

/** What the API is asked for. */
export function filterOf(search: CallSearch): CallFilter {
  const { role, of, version, ref, model, status, schema, caller, person, token, purpose, min, q } = search;
  const slash = model?.indexOf('/') ?? -1;
  return {
    role,
    role_of: role ? of : undefined,
    version: role ? version : undefined,
    ref,
    provider: slash > 0 ? model?.slice(0, slash) : undefined,
    model: model?.slice(slash + 1) || undefined,
    status,
    schema,
    caller,
    person,
    token,
    purpose,
    min_latency_ms: min,
    text: q,
  };
}

const STATUSES = ['ok', 'exhausted', 'partial', 'masking_failed', 'cancelled', 'timeout', 'error'] as const;
const SCHEMAS = ['valid', 'invalid', 'none'] as const;

/** Narrows the calls; the address keeps what was chosen. */
export function Filters() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const project = useProjectId();
  const search: CallSearch & RangeSearch = useSearch({ from: '/home/projects/$project/ai-calls' });
  const following = {
    range: { range: search.range, from: search.from, to: search.to },
    pausedAt: usePausedAt(),
  };
  const facets = useQuery(callFacetsQuery(project, following)).data?.items ?? [];
  const askers = useQuery(callAskersQuery(project, following)).data?.items ?? [];
  const set = (next: CallSearch) =>
    void navigate({ to: '.', search: (old) => ({ ...old, ...next }), replace: true, resetScroll: false });
  const values = (of: string[], chosen?: string) =>
    [...new Set(chosen ? [...of, chosen] : of)].filter(Boolean).sort((a, b) => a.localeCompare(b));
  const pick = (
    label: string,
    data: (string | { value: string; label: string })[],
    value: string | undefined,
    onChange: (next?: string) => void,
    width = 170,
  ) => (
    <Select
      w={width}
      clearable
      searchable={data.length > 8}
      placeholder={label}
      aria-label={label}
      clearButtonProps={{ 'aria-label': t('roles.clear', { what: label }) }}
      data={data}
      value={value ?? null}
      onChange={(next) => onChange(next ?? undefined)}
    />
  );
  const ofRole = facets.filter((f) => f.role === search.role);
  const versions = ofRole
    .filter((f) => search.of === undefined || (f.role_owner === 0) === (search.of === 'installation'))
    .map((f) => String(f.role_version));
  const both = new Set(ofRole.map((f) => f.role_owner)).size > 1;
  return (
    <search className={classes.filters}>
      {pick(
        t('calls.column.role'),
        values(
          facets.map((f) => f.role),
          search.role,
        ),
        search.role,
        (role) => set({ role, of: undefined, version: undefined }),
        200,
      )}
      {search.role &&
        (both || search.of) &&
        pick(
          t('calls.filter_of'),
          [
            { value: 'org', label: t('roles.own') },
            { value: 'installation', label: t('roles.shared') },
          ],
          search.of,
          (of) => set({ of: of as CallSearch['of'], version: undefined }),
          150,
        )}
      {search.role &&
        pick(
          t('calls.filter_version'),
          values(versions, search.version ? String(search.version) : undefined),
          search.version ? String(search.version) : undefined,
          (version) => set({ version: version ? Number(version) : undefined }),
          110,
        )}
      {pick(
        t('calls.column.model'),
        values(
          facets.map((f) => (f.model ? `${f.provider}/${f.model}` : '')),
          search.model,
        ),
        search.model,
        (model) => set({ model }),
        220,
      )}
      {pick(
        t('calls.column.status'),
        STATUSES.map((value) => ({ value, label: t(`calls.status.${value}`) })),
        search.status,
        (status) => set({ status }),
        150,
      )}
      {pick(
        t('calls.schema.title'),
        SCHEMAS.map((value) => ({ value, label: t(`calls.schema.${value}`) })),
        search.schema,
        (schema) => set({ schema: schema as CallSearch['schema'] }),
        130,
      )}
      {(['person', 'token', 'purpose'] as const).map((by) => (
        <Fragment key={by}>
          {pick(
            t(`usage.by.${by}`),
            askersOf(askers, by, search[by], t(`calls.without.${by}`)),
            search[by],
            (next) => set({ [by]: next }),
            by === 'purpose' ? 170 : 150,
          )}
        </Fragment>
      ))}
      <Filter
        label={t('calls.filter_caller')}
        width={150}
        value={search.caller ?? ''}
        onChange={(next) => set({ caller: next || undefined })}
      />
      <Filter
        label={t('calls.filter')}
        width={190}
        value={search.ref ?? ''}
        onChange={(next) => set({ ref: next.replace(/^#?(\d+)$/, 'incident/$1') || undefined })}
      />
      <Filter
        label={t('calls.filter_latency')}
        width={150}
        digits
        value={search.min ? String(search.min) : ''}
        onChange={(next) => set({ min: Number(next) || undefined })}
      />
      <Filter
        label={t('calls.filter_text')}
        width={200}
        value={search.q ?? ''}
        onChange={(next) => set({ q: next || undefined })}
      />
      {Object.values(filterOf(search)).some((each) => each !== undefined) && (
        <Button
          variant="subtle"
          onClick={() =>
            set({
              role: undefined,
              of: undefined,
              version: undefined,
              ref: undefined,
              model: undefined,
              status: undefined,
              schema: undefined,
              caller: undefined,
              person: undefined,
              token: undefined,
              purpose: undefined,
              min: undefined,
              q: undefined,
            })
          }
        >
          {t('calls.filter_clear')}
        </Button>
      )}
    </search>
  );
}
