import { ActionIcon, Button, Switch, Tooltip } from '@mantine/core';
import { IconChevronDown, IconChevronUp, IconX } from '@tabler/icons-react';
import type { KeyboardEvent, Ref } from 'react';
import { useTranslation } from 'react-i18next';
import { count } from '../../format/number.ts';
import { Filter } from '../../parts/Filter.tsx';
import { next } from './model.ts';
import classes from './Trace.module.css';

interface Props {
  ref: Ref<HTMLDivElement>;
  text: string;
  /** The spans that hold the text, ascending; undefined while they are not known. */
  found?: number[];
  failed: number[];
  selected: number;
  /** Whether the critical path is drawn; undefined where it cannot be. */
  critical?: boolean;
  onText: (text: string) => void;
  onSelect: (span: number | undefined) => void;
  onCritical: (show: boolean) => void;
  /** undefined when there is nothing to collapse. */
  onCollapse?: (all: boolean) => void;
}

/** Search within the trace, the way from error to error, and what is drawn. */
export function Toolbar(props: Props) {
  const { ref, text, found, failed, selected, critical, onText, onSelect, onCritical, onCollapse } = props;
  const { t } = useTranslation();
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !found) return;
    event.preventDefault();
    onSelect(next(found, selected, event.shiftKey));
  };
  return (
    <div className={classes.toolbar} ref={ref}>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Enter in the field goes to the next */}
      <div onKeyDown={onKeyDown}>
        <Filter label={t('trace.search')} value={text} onChange={onText} width={250} />
      </div>
      {text && (
        <Stepper
          places={found ?? []}
          selected={selected}
          label={found ? t('trace.found', { found: count(found.length) }) : '…'}
          back={t('trace.found_previous')}
          on={t('trace.found_next')}
          onSelect={onSelect}
        />
      )}
      {failed.length > 0 && (
        <Stepper
          bad
          places={failed}
          selected={selected}
          label={t('trace.failed', { failed: count(failed.length) })}
          back={t('trace.failed_previous')}
          on={t('trace.failed_next')}
          onSelect={onSelect}
        />
      )}
      <span className={classes.fill} />
      {critical !== undefined && (
        <Switch
          size="xs"
          label={t('trace.critical_path')}
          checked={critical}
          onChange={(event) => onCritical(event.currentTarget.checked)}
        />
      )}
      {onCollapse && (
        <>
          <Button size="compact-xs" variant="default" onClick={() => onCollapse(true)}>
            {t('trace.collapse_all')}
          </Button>
          <Button size="compact-xs" variant="default" onClick={() => onCollapse(false)}>
            {t('trace.expand_all')}
          </Button>
        </>
      )}
    </div>
  );
}

interface StepperProps {
  places: number[];
  selected: number;
  label: string;
  back: string;
  on: string;
  bad?: boolean;
  onSelect: (span: number | undefined) => void;
}

/** Goes through some of the spans, around at the ends. */
function Stepper({ places, selected, label, back, on, bad, onSelect }: StepperProps) {
  const at = places.indexOf(selected);
  return (
    <fieldset className={classes.stepper} aria-label={label}>
      {bad && <IconX size={14} stroke={2.6} color="var(--mx-critical)" aria-hidden />}
      <span aria-live="polite">{at >= 0 ? `${count(at + 1)} / ${label}` : label}</span>
      <Tooltip label={back}>
        <ActionIcon
          size={22}
          variant="subtle"
          color="gray"
          aria-label={back}
          disabled={places.length === 0}
          onClick={() => onSelect(next(places, selected, true))}
        >
          <IconChevronUp size={15} />
        </ActionIcon>
      </Tooltip>
      <Tooltip label={on}>
        <ActionIcon
          size={22}
          variant="subtle"
          color="gray"
          aria-label={on}
          disabled={places.length === 0}
          onClick={() => onSelect(next(places, selected))}
        >
          <IconChevronDown size={15} />
        </ActionIcon>
      </Tooltip>
    </fieldset>
  );
}
