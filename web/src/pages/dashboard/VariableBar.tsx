import { Select } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { labelValuesQuery } from '../../api/metrics.ts';
import type { Following } from '../../api/pages.ts';
import { servicesQuery } from '../../api/services.ts';
import type { DashboardVariable } from '../../api/types.ts';
import type { Chosen } from './variables.ts';

export interface Known {
  variable: DashboardVariable;
  values: string[];
}

/** The values each variable can have, and what is chosen: by the address, else by the dashboard, else the first. */
export function useVariables(project: number, variables: DashboardVariable[], asked: Chosen, following: Following) {
  const ofServices = variables.some((v) => v.kind === 'service' || v.kind === 'environment');
  const services = useQuery({ ...servicesQuery(project, { sort: 'name' }, following), enabled: ofServices });
  const labels = useQueries({
    queries: variables.map((v) => ({
      ...labelValuesQuery(project, v.label || '__name__', v.metric || undefined),
      enabled: v.kind === 'label',
    })),
  });
  const known: Known[] = variables.map((variable, i) => ({
    variable,
    values: {
      custom: variable.values ?? [],
      label: labels[i]?.data ?? [],
      service: (services.data?.items ?? []).map((s) => s.service),
      environment: [...new Set((services.data?.items ?? []).flatMap((s) => s.environments))].sort(),
    }[variable.kind],
  }));
  const chosen: Chosen = Object.fromEntries(
    known.map(({ variable: { name, value, all }, values }) => [
      name,
      asked[name] ?? (value || (all ? '' : (values[0] ?? ''))),
    ]),
  );
  return { known, chosen, pending: (ofServices && services.isPending) || labels.some((l) => l.isLoading) };
}

interface Props {
  known: Known[];
  chosen: Chosen;
  onChange: (next: Chosen) => void;
}

/** The choices above the panels. */
export function VariableBar({ known, chosen, onChange }: Props) {
  const { t } = useTranslation();
  return known.map(({ variable: { name, title, all }, values }) => {
    const value = chosen[name] ?? '';
    const options = [...new Set([...values, ...(value ? [value] : [])])];
    return (
      <Select
        key={name}
        w={200}
        searchable
        allowDeselect={false}
        aria-label={title || name}
        leftSection={<small className="dim">{title || name}</small>}
        leftSectionWidth={72}
        data={[...(all || value === '' ? [{ value: '', label: t('dashboard.all') }] : []), ...options]}
        value={value}
        onChange={(next) => onChange({ ...chosen, [name]: next ?? '' })}
      />
    );
  });
}
