import { Drawer, Skeleton } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { ruleHistoryQuery } from '../../api/rules.ts';
import type { Channel, Rule, RuleChange } from '../../api/types.ts';
import { Failure } from '../../parts/Failure.tsx';
import { When } from '../../parts/When.tsx';
import { type Difference, differences, withBefore } from './changes.ts';
import { labelTexts } from './draft.ts';
import classes from './History.module.css';
import { muteText } from './MuteFields.tsx';
import type { RuleWords } from './words.ts';

interface Props {
  project: number;
  rule: number;
  channels: Channel[] | undefined;
  words: RuleWords;
  onClose: () => void;
}

/** Who changed a rule, when, and from what to what. */
export function History({ project, rule, channels, words, onClose }: Props) {
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
          <Change key={change.version} change={change} before={before} channels={channels} words={words} />
        ))}
      </ol>
    </Drawer>
  );
}

function Change({
  change,
  before,
  channels,
  words,
}: { change: RuleChange; before?: RuleChange } & Pick<Props, 'channels' | 'words'>) {
  const { t } = useTranslation();
  const told = useTold(channels, words);
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
      {!before && change.action === 'created' && <p className="soft">{words.sentence(change.rule)}</p>}
      {fields.length > 0 && before && (
        <dl className={classes.fields}>
          {fields.map((each) => (
            <div key={'param' in each ? `params.${each.param}` : each.field}>
              <dt>{'param' in each ? words.param(each.param) : t(`rules.field.${each.field}`)}</dt>
              <dd>
                <del>{told(before.rule, each)}</del>
                <IconArrowRight size={13} role="img" aria-label={t('rules.became')} />
                <ins>{told(change.rule, each)}</ins>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}

/** A field's value as the list of rules words it. */
function useTold(channels: Channel[] | undefined, words: RuleWords) {
  const { t, i18n } = useTranslation();
  return (rule: Rule, each: Difference): string => {
    if ('param' in each) {
      const param = words.kindOf(rule.kind)?.params.find((p) => p.name === each.param);
      return words.value(param, rule.params[each.param]) || t('rules.unsaid');
    }
    switch (each.field) {
      case 'enabled':
        return t(rule.enabled ? 'channels.on' : 'channels.off');
      case 'kind':
        return words.title(rule.kind);
      case 'severity':
        return rule.severity ? t(`rules.severity.${rule.severity}`) : t('rules.unsaid');
      case 'window_minutes':
      case 'quiet_minutes':
        return t('rules.minutes', { minutes: rule[each.field] });
      case 'service':
        return rule.service || t('rules.any_service');
      case 'environment':
        return rule.environment || t('rules.any_environment');
      case 'channels':
        return rule.channels?.length
          ? rule.channels.map((id) => channels?.find((c) => c.id === id)?.name ?? `#${id}`).join(', ')
          : t('rules.all_channels');
      case 'labels':
        return labelTexts(rule.labels ?? {}).join(', ') || t('rules.unsaid');
      case 'mutes':
        return (
          (rule.mutes ?? []).map((m) => muteText(m, i18n.language, t('rules.every_day'))).join('; ') ||
          t('rules.unsaid')
        );
      default:
        return String(rule[each.field] ?? '') || t('rules.unsaid');
    }
  };
}
