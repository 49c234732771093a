import { MultiSelect, Radio } from '@mantine/core';
import { IconCircleMinus, IconCirclePlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { applyTemplate, ruleTemplatesQuery } from '../../api/rules.ts';
import { servicesQuery } from '../../api/services.ts';
import type { Channel, Rule } from '../../api/types.ts';
import { FormModal } from '../../parts/FormModal.tsx';
import { OneOf } from '../../parts/OneOf.tsx';
import { toastDone } from '../../parts/toast.tsx';
import { useChange } from '../../parts/useChange.ts';
import classes from './Rules.module.css';
import { Severity } from './Severity.tsx';
import type { RuleWords } from './words.ts';

interface Props {
  project: number;
  rules: Rule[];
  channels: Channel[];
  words: RuleWords;
  onClose: () => void;
}

/** A set of rules for a kind of application, made for one service or for all. */
export function TemplateForm({ project, rules, channels, words, onClose }: Props) {
  const { t, i18n } = useTranslation();
  const language = i18n.language === 'ko' ? 'ko' : 'en';
  const templates = useQuery(ruleTemplatesQuery(project));
  const services = useQuery(servicesQuery(project, {}, { range: { range: '24h' } }));
  const [name, setName] = useState('web');
  const [service, setService] = useState('');
  const [environment, setEnvironment] = useState('');
  const [told, setTold] = useState<number[]>([]);
  const template = templates.data?.find((each) => each.name === name);
  const known = services.data?.items ?? [];
  const at = [service, environment].filter(Boolean).join(' ');
  const taken = new Set(rules.map((r) => r.name));
  const apply = useChange(() => applyTemplate(project, name, { service, environment, language, channels: told }), {
    refresh: ['rules', project],
    onDone: ({ made, skipped }) => {
      toastDone(t('rules.template_made', { made: made.length, skipped: skipped.length }));
      onClose();
    },
  });
  return (
    <FormModal
      title={t('rules.templates')}
      busy={apply.isPending}
      size="xl"
      verb={t('rules.template_make')}
      onSubmit={() => apply.mutate(undefined)}
      onClose={onClose}
    >
      <Radio.Group label={t('rules.template_which')} value={name} onChange={setName}>
        <div className={classes.templates}>
          {(templates.data ?? []).map((each) => (
            <Radio
              key={each.name}
              value={each.name}
              label={t(`rules.template.${each.name as 'web'}.title`, each.name)}
              description={t(`rules.template.${each.name as 'web'}.hint`, '')}
            />
          ))}
        </div>
      </Radio.Group>
      {template?.scoped && (
        <div className={classes.grid}>
          <OneOf
            label={t('rules.field.service')}
            placeholder={t('rules.any_service')}
            data={known.map((s) => s.service)}
            limit={50}
            value={service}
            onChange={setService}
          />
          <OneOf
            label={t('rules.field.environment')}
            placeholder={t('rules.any_environment')}
            data={[...new Set(known.flatMap((s) => s.environments).filter(Boolean))].sort()}
            value={environment}
            onChange={setEnvironment}
          />
        </div>
      )}
      <MultiSelect
        label={t('rules.field.channels')}
        placeholder={told.length ? undefined : t('rules.all_channels')}
        data={channels.map((c) => ({ value: String(c.id), label: c.name }))}
        value={told.map(String)}
        onChange={(ids) => setTold(ids.map(Number))}
      />
      {template && (
        <ul className={classes.found} aria-label={t('rules.template_rules')}>
          {template.rules.map(({ titles, rule }) => {
            const scoped = words.kindOf(rule.kind)?.scoped !== false;
            const title = `${at && scoped ? `${at}: ` : ''}${titles[language] ?? ''}`;
            const exists = taken.has(title);
            return (
              <li key={title} className={exists ? 'off' : undefined}>
                {exists ? (
                  <IconCircleMinus size={15} aria-hidden />
                ) : (
                  <IconCirclePlus size={15} color="var(--mx-ok)" aria-hidden />
                )}
                <div className={classes.made}>
                  <strong>{title}</strong>
                  <div className={classes.second}>{exists ? t('rules.skip.exists') : words.sentence(rule)}</div>
                </div>
                <Severity of={rule.severity} />
              </li>
            );
          })}
        </ul>
      )}
    </FormModal>
  );
}
