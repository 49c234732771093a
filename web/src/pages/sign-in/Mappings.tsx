import { ActionIcon, Button, Select, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { groupsQuery, orgsQuery } from '../../api/people.ts';
import type { MemberRole, OidcMapping } from '../../api/types.ts';
import classes from './SignIn.module.css';

const ROLES: MemberRole[] = ['viewer', 'editor', 'admin', 'owner'];

const placeOf = (m: OidcMapping) => `${m.org_id}/${m.group_id}`;

/** Which group at a provider gives which role where. */
export function Mappings({ value, onChange }: { value: OidcMapping[]; onChange: (mappings: OidcMapping[]) => void }) {
  const { t } = useTranslation();
  const { data: orgs = [] } = useQuery(orgsQuery);
  const teams = orgs.filter((o) => o.kind === 'team');
  const groups = useQueries({ queries: teams.map((o) => groupsQuery(o.id)) });
  const places = teams.map((org, i) => ({
    group: org.name,
    items: [
      { value: `${org.id}/0`, label: t('oidc.whole_org', { name: org.name }) },
      ...(groups[i]?.data ?? []).map((g) => ({
        value: `${org.id}/${g.id}`,
        label: `${org.name} › ${g.name}`,
      })),
    ],
  }));
  const set = (at: number, part: Partial<OidcMapping>) =>
    onChange(value.map((m, i) => (i === at ? { ...m, ...part } : m)));
  const first = teams[0];
  return (
    <fieldset className={classes.mappings}>
      <legend>{t('oidc.mappings')}</legend>
      <p className="dim">{t('oidc.mappings_means')}</p>
      {value.map((mapping, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows have no name of their own, and keep their order
        <div key={i} className={classes.mapping}>
          <TextInput
            aria-label={t('oidc.mapping_value', { n: i + 1 })}
            placeholder={t('oidc.mapping_placeholder')}
            required
            maxLength={200}
            value={mapping.value}
            onChange={(e) => set(i, { value: e.currentTarget.value })}
          />
          <Select
            aria-label={t('oidc.mapping_place', { n: i + 1 })}
            allowDeselect={false}
            searchable
            data={places}
            value={placeOf(mapping)}
            onChange={(next) => {
              const [org, group] = (next ?? '').split('/').map(Number);
              if (org) set(i, { org_id: org, group_id: group ?? 0 });
            }}
          />
          <Select
            aria-label={t('oidc.mapping_role', { n: i + 1 })}
            allowDeselect={false}
            data={ROLES.map((role) => ({ value: role, label: t(`settings.roles.${role}`) }))}
            value={mapping.role}
            onChange={(role) => role && set(i, { role: role as OidcMapping['role'] })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            aria-label={t('oidc.mapping_remove', { n: i + 1 })}
            onClick={() => onChange(value.filter((_, at) => at !== i))}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </div>
      ))}
      <div>
        <Button
          variant="default"
          size="compact-sm"
          leftSection={<IconPlus size={14} />}
          disabled={!first}
          onClick={() => first && onChange([...value, { value: '', org_id: first.id, group_id: 0, role: 'viewer' }])}
        >
          {t('oidc.add_mapping')}
        </Button>
      </div>
    </fieldset>
  );
}
