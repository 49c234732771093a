import { Button, Modal, Stack, TextInput } from '@mantine/core';
import { IconChevronRight, IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { AlarmKind } from '../../api/types.ts';
import { holds } from '../../parts/Filter.tsx';
import { SkeletonRows } from '../../parts/SkeletonRows.tsx';
import { GROUPS } from './filter.ts';
import classes from './Rules.module.css';
import { useRuleWords } from './words.ts';

interface Props {
  project: number;
  onChoose: (kind: AlarmKind) => void;
  /** Offers the sets of rules instead. */
  onTemplates: () => void;
  onClose: () => void;
}

/** What shall the new rule look at? */
export function KindPicker({ project, onChoose, onTemplates, onClose }: Props) {
  const { t } = useTranslation();
  const words = useRuleWords(project);
  const [typed, setTyped] = useState('');
  const found = (words.kinds ?? []).filter((k) =>
    typed
      .split(/\s+/)
      .every((word) => holds(word, k.name, words.title(k.name), words.hint(k.name), t(`rules.group.${k.group}`))),
  );
  /** The arrows walk through the kinds. */
  const keys = (event: KeyboardEvent<HTMLElement>) => {
    if (event.key !== 'ArrowDown' && event.key !== 'ArrowUp') return;
    event.preventDefault();
    const buttons = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-kind]')];
    const at = buttons.indexOf(document.activeElement as HTMLElement);
    buttons[Math.min(Math.max(at + (event.key === 'ArrowDown' ? 1 : -1), 0), buttons.length - 1)]?.focus();
  };
  return (
    <Modal
      opened
      onClose={onClose}
      size="xl"
      title={<strong>{t('rules.choose_kind')}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <Stack gap={0} onKeyDown={keys}>
        <div className={classes.picker}>
          <TextInput
            type="search"
            data-autofocus
            leftSection={<IconSearch size={15} />}
            placeholder={t('rules.find_kind')}
            aria-label={t('rules.find_kind')}
            value={typed}
            onChange={(e) => setTyped(e.currentTarget.value)}
            onKeyDown={(e) => {
              const [only] = found;
              if (e.key === 'Enter' && only && found.length === 1) onChoose(only);
            }}
          />
          <Button variant="subtle" onClick={onTemplates}>
            {t('rules.templates')}
          </Button>
        </div>
        {!words.kinds && (
          <table className="table" aria-busy>
            <tbody>
              <SkeletonRows rows={6} columns={1} />
            </tbody>
          </table>
        )}
        {words.kinds && found.length === 0 && <p className="soft">{t('rules.no_kind')}</p>}
        {GROUPS.map((group) => {
          const kinds = found.filter((k) => k.group === group);
          if (kinds.length === 0) return null;
          return (
            <section key={group} aria-label={t(`rules.group.${group}`)}>
              <h3 className={classes.group}>{t(`rules.group.${group}`)}</h3>
              <ul className={classes.kinds}>
                {kinds.map((kind) => (
                  <li key={kind.name}>
                    <button type="button" data-kind={kind.name} className={classes.kind} onClick={() => onChoose(kind)}>
                      <strong>{words.title(kind.name)}</strong>
                      <span className="soft">{words.hint(kind.name)}</span>
                      <IconChevronRight size={15} aria-hidden />
                    </button>
                  </li>
                ))}
              </ul>
            </section>
          );
        })}
      </Stack>
    </Modal>
  );
}
