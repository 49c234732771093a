import { Button, FileButton, Group, Modal, Textarea } from '@mantine/core';
import { IconCircleCheck, IconCircleMinus, IconUpload } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { createRule, importPrometheus } from '../../api/rules.ts';
import type { Channel, Rule, RuleFile } from '../../api/types.ts';
import { toastDone } from '../../parts/toast.tsx';
import classes from './Rules.module.css';
import { type Item, isOurs, read } from './transfer.ts';
import type { RuleWords } from './words.ts';

interface Props {
  project: number;
  rules: Rule[];
  channels: Channel[];
  words: RuleWords;
  onClose: () => void;
}

/** What a text holds: rules of ours, or a rule file of Prometheus. */
type Found = { items: Item[] } | { file: RuleFile };

/** Reads rules from a text or a file, shows what would be made, and makes it. */
export function ImportForm({ project, rules, channels, words, onClose }: Props) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [text, setText] = useState('');
  const [found, setFound] = useState<Found>();
  const [fault, setFault] = useState<string>();
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const change = (next: string) => {
    setText(next);
    setFound(undefined);
    setFault(undefined);
    setWrong({});
  };
  const look = async () => {
    setFault(undefined);
    if (isOurs(text)) {
      try {
        const around = { channels, views: words.views, kinds: words.kinds ?? [] };
        setFound({ items: read(text, new Set(rules.map((r) => r.name)), around) });
      } catch (error) {
        setFault(t('rules.import_unreadable', { why: error instanceof Error ? error.message : String(error) }));
      }
      return;
    }
    setBusy(true);
    try {
      setFound({ file: await importPrometheus(project, text, true) });
    } catch (error) {
      setFault(asProblem(error).message);
    }
    setBusy(false);
  };
  const done = async (made: number, close: boolean) => {
    await client.invalidateQueries({ queryKey: ['rules', project] });
    setBusy(false);
    if (made > 0) toastDone(t('rules.imported', { made }));
    if (close) onClose();
  };
  const make = async () => {
    if (!found) return;
    setBusy(true);
    if ('file' in found) {
      try {
        const { made } = await importPrometheus(project, text, false);
        await done(made, true);
      } catch (error) {
        setFault(asProblem(error).message);
        setBusy(false);
      }
      return;
    }
    const refused: Record<string, string> = {};
    const wanted = found.items.filter((item) => !item.skip);
    for (const { draft } of wanted) {
      try {
        await createRule(project, draft);
      } catch (error) {
        refused[draft.name] = asProblem(error).message;
      }
    }
    setWrong(refused);
    const left = Object.keys(refused).length;
    setFound({ items: found.items.filter((item) => item.skip || refused[item.draft.name]) });
    await done(wanted.length - left, left === 0);
  };
  const ready = !found
    ? 0
    : 'items' in found
      ? found.items.filter((item) => !item.skip).length
      : found.file.rules.filter((r) => !r.left).length;
  const all = !found ? 0 : 'items' in found ? found.items.length : found.file.rules.length;
  const faulty = found && 'file' in found && found.file.faults.length > 0;
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
          <Button
            variant={found ? 'default' : 'filled'}
            loading={busy && !found}
            disabled={!text.trim()}
            onClick={() => void look()}
          >
            {t('rules.import_look')}
          </Button>
        </Group>
        {faulty && (
          <div role="alert">
            <strong>{t('rules.import_faults', { n: found.file.faults.length })}</strong>
            <ul className={classes.found}>
              {found.file.faults.map((f) => (
                <li key={`${f.line} ${f.message}`}>
                  <span className={classes.at}>{f.line > 0 ? t('rules.line', { line: f.line }) : ''}</span>
                  <span>{f.message}</span>
                </li>
              ))}
            </ul>
          </div>
        )}
        {found && !faulty && (
          <>
            <strong role="status">{t('rules.import_found', { ready, all })}</strong>
            <ul className={classes.found}>
              {'items' in found
                ? found.items.map((item, i) => (
                    <Row
                      // biome-ignore lint/suspicious/noArrayIndexKey: a rule is its place in the file
                      key={i}
                      name={item.draft.name}
                      left={item.skip && t(`rules.skip.${item.skip}`, { kind: item.draft.kind })}
                      about={words.sentence(item.draft)}
                      notes={
                        item.missing.length > 0 ? [t('rules.import_channels', { names: item.missing.join(', ') })] : []
                      }
                      wrong={wrong[item.draft.name]}
                    />
                  ))
                : found.file.rules.map((r) => (
                    <Row
                      key={r.line}
                      name={r.rule.name || r.name}
                      left={r.left && t(`rules.left.${r.left}`)}
                      about={r.left ? '' : words.sentence(r.rule)}
                      notes={r.notes.map((note) => t(`rules.note.${note.what}`, { about: note.about }))}
                      line={r.line}
                    />
                  ))}
            </ul>
          </>
        )}
        <Group justify="flex-end" gap={8}>
          <Button variant="default" onClick={onClose}>
            {t('action.cancel')}
          </Button>
          <Button loading={busy && found !== undefined} disabled={ready === 0 || faulty} onClick={() => void make()}>
            {t('rules.import_make', { ready })}
          </Button>
        </Group>
      </div>
    </Modal>
  );
}

interface RowProps {
  name: string;
  /** Why nothing is made of it. */
  left?: string;
  about: string;
  notes: string[];
  line?: number;
  wrong?: string;
}

function Row({ name, left, about, notes, line, wrong }: RowProps) {
  const { t } = useTranslation();
  return (
    <li className={left ? 'off' : undefined}>
      {left ? (
        <IconCircleMinus size={15} aria-hidden />
      ) : (
        <IconCircleCheck size={15} color="var(--mx-ok)" aria-hidden />
      )}
      <div className={classes.made}>
        <strong>{name}</strong>
        {line !== undefined && <span className={classes.said}>{t('rules.line', { line })}</span>}
        <div className={classes.second}>{left ?? about}</div>
        {notes.map((note) => (
          <div key={note} className={classes.second}>
            {note}
          </div>
        ))}
        {wrong && <p className={classes.fault}>{wrong}</p>}
      </div>
    </li>
  );
}
