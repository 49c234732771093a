import { Button, FileButton, Group, Modal, Textarea } from '@mantine/core';
import { IconCircleCheck, IconCircleMinus, IconUpload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { createRule } from '../../api/rules.ts';
import type { Channel, Rule } from '../../api/types.ts';
import { toastDone } from '../../parts/toast.tsx';
import classes from './Rules.module.css';
import { type Item, read } from './transfer.ts';
import type { RuleWords } from './words.ts';

interface Props {
  project: number;
  rules: Rule[];
  channels: Channel[];
  words: RuleWords;
  onClose: () => void;
}

/** Reads rules from a text or a file, shows what would be made, and makes it. */
export function ImportForm({ project, rules, channels, words, onClose }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [items, setItems] = useState<Item[]>();
  const [fault, setFault] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const change = (next: string) => {
    setText(next);
    setItems(undefined);
    setFault(undefined);
    setWrong({});
  };
  const look = () => {
    try {
      const around = { channels, views: words.views, kinds: words.kinds ?? [] };
      setItems(read(text, new Set(rules.map((r) => r.name)), around));
    } catch (error) {
      setFault(t('rules.import_unreadable', { why: error instanceof Error ? error.message : String(error) }));
    }
  };
  const ready = items?.filter((item) => !item.skip) ?? [];
  const make = async () => {
    setBusy(true);
    const refused: Record<string, string> = {};
    for (const { draft } of ready) {
      try {
        await createRule(project, draft);
      } catch (error) {
        refused[draft.name] = asProblem(error).message;
      }
    }
    await client.invalidateQueries({ queryKey: ['rules', project] });
    setBusy(false);
    setWrong(refused);
    const made = ready.length - Object.keys(refused).length;
    if (made > 0) toastDone(t('rules.imported', { made }));
    if (Object.keys(refused).length === 0) onClose();
    else setItems(items?.filter((item) => item.skip || refused[item.draft.name]));
  };
  return (
    <Modal
      opened
      size="xl"
      onClose={onClose}
      title={<strong>{t('rules.import')}</strong>}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <div className="form">
        <p className={classes.about}>{t('rules.import_means')}</p>
        <Textarea
          label={t('rules.import_text')}
          autosize
          minRows={8}
          maxRows={16}
          spellCheck={false}
          error={fault}
          styles={{ input: { fontFamily: 'var(--mx-mono)', fontSize: 12.5 } }}
          value={text}
          onChange={(e) => change(e.currentTarget.value)}
        />
        <Group gap={8}>
          <FileButton
            accept=".json,.yaml,.yml,application/json,application/yaml"
            onChange={(file) => void file?.text().then(change)}
          >
            {(props) => (
              <Button {...props} variant="default" leftSection={<IconUpload size={15} />}>
                {t('rules.import_file')}
              </Button>
            )}
          </FileButton>
          <Button variant={items ? 'default' : 'filled'} disabled={!text.trim()} onClick={look}>
            {t('rules.import_look')}
          </Button>
        </Group>
        {items && (
          <>
            <strong role="status">{t('rules.import_found', { ready: ready.length, all: items.length })}</strong>
            <ul className={classes.found}>
              {items.map((item, i) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place in the file
                <li key={i} className={item.skip ? 'off' : undefined}>
                  {item.skip ? (
                    <IconCircleMinus size={15} aria-hidden />
                  ) : (
                    <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
                  )}
                  <div>
                    <strong>{item.draft.name}</strong>
                    <div className={classes.second}>
                      {item.skip ? t(`rules.skip.${item.skip}`, { kind: item.draft.kind }) : words.sentence(item.draft)}
                      {item.missing.length > 0 &&
                        ` · ${t('rules.import_channels', { names: item.missing.join(', ') })}`}
                    </div>
                    {wrong[item.draft.name] && <p className={classes.fault}>{wrong[item.draft.name]}</p>}
                  </div>
                </li>
              ))}
            </ul>
          </>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button loading={busy} disabled={ready.length === 0} onClick={() => void make()}>
            {t('rules.import_make', { ready: ready.length })}
          </Button>
        </Group>
      </div>
    </Modal>
  );
}
