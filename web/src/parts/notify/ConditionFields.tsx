import { MultiSelect, Switch, TagsInput } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Hours } from '../../api/types.ts';
import { type Conditions, labelsOf, pairsOf } from './conditions.ts';
import { HoursFields } from './HoursFields.tsx';
import classes from './Notify.module.css';

const SEVERITIES = ['critical', 'warning', 'info'] as const;
const OFFICE: Hours = { weekdays: [1, 2, 3, 4, 5], from: '09:00', to: '18:00' };
export const TYPED = { inputField: classes.typed };

interface Props {
  of: Conditions;
  zone: string;
  onChange: (part: Partial<Conditions>) => void;
}

/** What a message must fit. */
export function ConditionFields({ of, zone, onChange }: Props) {
  const { t } = useTranslation();
  return (
    <>
      <MultiSelect
        classNames={TYPED}
        label={t('channels.routing.severity')}
        description={t('channels.routing.empty_is_all')}
        searchable
        data={SEVERITIES.map((one) => ({ value: one, label: t(`channels.severity.${one}`) }))}
        value={of.severities ?? []}
        onChange={(severities) => onChange({ severities })}
      />
      <div className="pair">
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.service')}
          description={t('channels.routing.service_hint')}
          value={of.services ?? []}
          onChange={(services) => onChange({ services })}
        />
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.environment')}
          description={t('channels.routing.tag_hint')}
          value={of.environments ?? []}
          onChange={(environments) => onChange({ environments })}
        />
      </div>
      <div className="pair">
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.owner')}
          description={t('channels.routing.tag_hint')}
          value={of.owners ?? []}
          onChange={(owners) => onChange({ owners })}
        />
        <TagsInput
          classNames={TYPED}
          label={t('channels.routing.label')}
          description={t('channels.routing.label_hint')}
          value={pairsOf(of.labels)}
          onChange={(next) => onChange({ labels: labelsOf(next) })}
        />
      </div>
      <Switch
        label={t('channels.routing.at_hours', { zone: zone || 'UTC' })}
        checked={of.hours !== undefined}
        onChange={(e) => onChange({ hours: e.currentTarget.checked ? OFFICE : undefined })}
      />
      {of.hours && <HoursFields hours={of.hours} onChange={(hours) => onChange({ hours })} />}
    </>
  );
}
