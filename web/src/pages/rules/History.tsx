import { Drawer, Skeleton } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ruleHistoryQuery } from '../../api/project.ts';
import type { Channel, Rule, RuleChange } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { When } from '../../parts/When.tsx';
import { differences, type RuleField, withBefore } from './changes.ts';
import classes from './History.module.css';

interface Props {
  project: number;
  rule: number;
  channels: Channel[] | undefined;
  onClose: () => void;
}

/** Who changed a rule, when, and from what to what. */
export function History({ project, rule, channels, onClose }: Props) {
  const { t } = useTranslation();
  const { data: changes, error, refetch } = useQuery(ruleHistoryQuery(project, rule));
  return (
    <Drawer
      opened
      position="right"
      size="md"
      onClose={onClose}
      title={<strong>{t('rules.history_of', { name: changes?.[0]?.rule.name ?? `#${rule}` })}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      {error && !changes && <Failure error={error} retry={() => void refetch()} />}
      {!error && !changes && <Skeleton height={180} aria-busy />}
      <ol className={classes.list}>
        {withBefore(changes ?? []).map(({ change, before }) => (
          <Change key={change.version} change={change} before={before} channels={channels} />
        ))}
      </ol>
    </Drawer>
  );
}

function Change({ change, before, channels }: { change: RuleChange; before?: RuleChange } & Pick<Props, 'channels'>) {
  const { t } = useTranslation();
  const told = useTold(channels);
  const action = t(`rules.did.${change.action as 'created'}`, change.action);
  const fields = before ? differences(before.rule, change.rule) : [];
  return (
    <li>
      <div className={classes.head}>
        <b>{action}</b>
        <span className="soft">{change.author}</span>
        <When at={change.at} />
        <code className="dim">{`v${change.version}`}</code>
      </div>
      {!before && change.action === 'created' && (
        <p className="soft">
          {t('rules.condition', {
            ms: Number(change.rule.params.threshold_ms).toLocaleString('en-US'),
            count: change.rule.count,
            minutes: change.rule.window_minutes,
          })}
        </p>
      )}
      {fields.length > 0 && before && (
        <dl className={classes.fields}>
          {fields.map((field) => (
            <div key={field}>
              <dt>{t(`rules.field.${field}`)}</dt>
              <dd>
                <del>{told(before.rule, field)}</del>
                <IconArrowRight size={13} role="img" aria-label={t('rules.became')} />
                <ins>{told(change.rule, field)}</ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

/** A field's value as the list of rules words it. */
function useTold(channels: Channel[] | undefined) {
  const { t } = useTranslation();
  return (rule: Rule, field: RuleField): string => {
    switch (field) {
      case 'enabled':
        return t(rule.enabled ? 'channels.on' : 'channels.off');
      case 'params':
        return `${Number(rule.params.threshold_ms).toLocaleString('en-US')} ms`;
      case 'window_minutes':
      case 'quiet_minutes':
        return t('rules.minutes', { minutes: rule[field] });
      case 'service':
        return rule.service || t('rules.any_service');
      case 'environment':
        return rule.environment || t('rules.any_environment');
      case 'channels':
        return rule.channels?.length
          ? rule.channels.map((id) => channels?.find((c) => c.id === id)?.name ?? `#${id}`).join(', ')
          : t('rules.all_channels');
      default:
        return String(rule[field]);
    }
  };
}
