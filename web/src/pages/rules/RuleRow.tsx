import { Anchor, Checkbox, Switch, Tooltip } from '@mantine/core';
import { IconAlertTriangle, IconBook2, IconCopy, IconHistory, IconPencil, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Channel, Rule } from '../../api/types.ts';
import { RowAction } from '../../parts/RowAction.tsx';
import { When } from '../../parts/When.tsx';
import { labelTexts } from './draft.ts';
import { failureOf } from './filter.ts';
import classes from './Rules.module.css';
import { Severity } from './Severity.tsx';
import type { RuleWords } from './words.ts';

interface Props {
  rule: Rule;
  words: RuleWords;
  channels: Channel[] | undefined;
  /** Absent for who may only read. */
  edits?: {
    chosen: boolean;
    turning: boolean;
    onChoose: () => void;
    onToggle: () => void;
    onEdit: () => void;
    onDuplicate: () => void;
    onDelete: () => void;
  };
  onHistory: () => void;
}

export function RuleRow({ rule, words, channels, edits, onHistory }: Props) {
  const { t } = useTranslation();
  const failure = failureOf(rule);
  const about = [rule.owner, ...labelTexts(rule.labels ?? {})].filter(Boolean);
  return (
    <tr className={rule.enabled ? undefined : 'off'} data-chosen={edits?.chosen || undefined}>
      {edits && (
        <td className={classes.check}>
          <Checkbox
            aria-label={t('rules.choose', { name: rule.name })}
            checked={edits.chosen}
            onChange={edits.onChoose}
          />
        </td>
      )}
      <td>
        <div className={classes.name}>
          {edits && (
            <Tooltip label={t(rule.enabled ? 'rules.turn_off' : 'rules.turn_on')}>
              <Switch
                size="xs"
                aria-label={`${t('rules.field.enabled')}: ${rule.name}`}
                checked={rule.enabled}
                disabled={edits.turning}
                onChange={edits.onToggle}
              />
            </Tooltip>
          )}
          <strong>{rule.name}</strong>
          <Severity of={rule.severity} />
          {!rule.enabled && t('rules.off')}
          {rule.runbook && (
            <Anchor href={rule.runbook} target="_blank" rel="noreferrer" className="row" size="xs">
              <IconBook2 size={13} aria-hidden />
              {t('rules.field.runbook')}
            </Anchor>
          )}
        </div>
        {about.length > 0 && <div className={classes.second}>{about.join(' · ')}</div>}
        {failure && (
          <div className={classes.failing}>
            <IconAlertTriangle size={14} aria-hidden />
            <span>
              {t('rules.failing')} <When at={failure.since} />
              {failure.why && `: ${failure.why}`}
            </span>
          </div>
        )}
      </td>
      <td className={classes.condition}>
        {words.sentence(rule)}
        <div className={classes.second}>
          {t('rules.quiet', { minutes: rule.quiet_minutes })}
          {rule.mutes?.length > 0 && ` · ${t('rules.muted', { n: rule.mutes.length })}`}
        </div>
      </td>
      <td>
        {words.kindOf(rule.kind)?.scoped === false
          ? ''
          : [rule.service || t('rules.any_service'), rule.environment].filter(Boolean).join(' · ')}
      </td>
      <td>
        {rule.channels?.length
          ? rule.channels.map((id) => channels?.find((c) => c.id === id)?.name ?? `#${id}`).join(', ')
          : t('rules.all_channels')}
      </td>
      <td className="nowrap">
        <When at={rule.updated_at} /> <span className="dim">{rule.updated_by}</span>
      </td>
      <td>
        <div className="row-actions">
          <RowAction icon={IconHistory} label={t('rules.history')} of={rule.name} onClick={onHistory} />
          {edits && (
            <>
              <RowAction icon={IconCopy} label={t('rules.duplicate')} of={rule.name} onClick={edits.onDuplicate} />
              <RowAction icon={IconPencil} label={t('action.edit')} of={rule.name} onClick={edits.onEdit} />
              <RowAction icon={IconTrash} label={t('action.delete')} of={rule.name} onClick={edits.onDelete} />
            </>
          )}
        </div>
      </td>
    </tr>
  );
}
