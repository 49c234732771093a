import { ActionIcon, Button, MultiSelect, Textarea, TextInput } from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { maskClassesQuery } from '../../api/masking.ts';
import type { Problem } from '../../api/problem.ts';
import type { MaskingOutcome } from '../../api/types.ts';
import classes from './Masking.module.css';
import { faultyPart, faultyPattern, type PolicyDraft } from './policy.ts';

const PATTERN_LIKE = 'ORD-[0-9]{6}';

interface Props {
  draft: PolicyDraft;
  onChange: (draft: PolicyDraft) => void;
  /** What the server says against the policy as it stands. */
  problem?: Problem;
  /** How often each pattern matches the text that is tried, in the order in which they were sent. */
  matches?: MaskingOutcome['patterns'];
}

/** What is masked beside and instead of the defaults: of a project, or of a role. */
export function PolicyFields({ draft, onChange, problem, matches }: Props) {
  const { t } = useTranslation();
  const { data: all = [] } = useQuery(maskClassesQuery);
  const set = (part: Partial<PolicyDraft>) => onChange({ ...draft, ...part });
  const part = problem && faultyPart(problem.field);
  const faulty = problem && faultyPattern(draft, problem.field);
  const wrong = (of: typeof part) => (part === of ? problem?.detail : undefined);
  const word = (mask: string) => ({ value: mask, label: t(`masking.class.${mask as 'host'}`, mask) });
  return (
    <>
      <div className="pair">
        <MultiSelect
          label={t('mask.off')}
          description={t('mask.off_hint')}
          error={wrong('off')}
          data={all
            .filter((each) => !each.locked && !draft.always.includes(each.class))
            .map((each) => word(each.class))}
          value={draft.off}
          onChange={(off) => set({ off })}
        />
        <MultiSelect
          label={t('mask.always')}
          description={t('mask.always_hint')}
          error={wrong('always')}
          data={all.filter((each) => !each.locked && !draft.off.includes(each.class)).map((each) => word(each.class))}
          value={draft.always}
          onChange={(always) => set({ always })}
        />
      </div>
      <fieldset className={classes.rows}>
        <legend>{t('mask.patterns')}</legend>
        <p className={classes.hint}>{t('mask.patterns_hint')}</p>
        {draft.patterns.map((row, i) => {
          const change = (next: Partial<typeof row>) =>
            set({ patterns: draft.patterns.map((each, k) => (k === i ? { ...each, ...next } : each)) });
          const found = matches?.find((each) => each.name === row.name);
          const nth = { n: i + 1 };
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place: its name is being written
            <div key={i} className={classes.pattern}>
              <TextInput
                aria-label={t('mask.pattern_name', nth)}
                placeholder={t('mask.pattern_name_like')}
                value={row.name}
                onChange={(e) => change({ name: e.currentTarget.value })}
              />
              <TextInput
                aria-label={t('mask.pattern', nth)}
                placeholder={PATTERN_LIKE}
                spellCheck={false}
                classNames={{ input: classes.mono }}
                error={faulty === i ? problem?.detail : undefined}
                value={row.pattern}
                onChange={(e) => change({ pattern: e.currentTarget.value })}
              />
              <span className={classes.matches}>{found && t('mask.matches', { count: found.matches })}</span>
              <Remove
                label={t('mask.remove_pattern', { name: row.name || i + 1 })}
                onClick={() => set({ patterns: draft.patterns.filter((_, k) => k !== i) })}
              />
            </div>
          );
        })}
        {part === 'patterns' && faulty === undefined && <p className={classes.wrong}>{problem?.detail}</p>}
        <Add
          label={t('mask.add_pattern')}
          onClick={() => set({ patterns: [...draft.patterns, { name: '', pattern: '' }] })}
        />
      </fieldset>
      <fieldset className={classes.rows}>
        <legend>{t('mask.dictionaries')}</legend>
        <p className={classes.hint}>{t('mask.dictionaries_hint')}</p>
        {draft.dictionaries.map((row, i) => {
          const change = (next: Partial<typeof row>) =>
            set({ dictionaries: draft.dictionaries.map((each, k) => (k === i ? { ...each, ...next } : each)) });
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place: its name is being written
            <div key={i} className={classes.dictionary}>
              <TextInput
                aria-label={t('mask.dictionary_name', { n: i + 1 })}
                placeholder={t('mask.dictionary_name_like')}
                value={row.name}
                onChange={(e) => change({ name: e.currentTarget.value })}
              />
              <Textarea
                aria-label={t('mask.dictionary_words', { n: i + 1 })}
                placeholder={t('mask.one_a_line')}
                autosize
                minRows={2}
                maxRows={10}
                value={row.words}
                onChange={(e) => change({ words: e.currentTarget.value })}
              />
              <Remove
                label={t('mask.remove_dictionary', { name: row.name || i + 1 })}
                onClick={() => set({ dictionaries: draft.dictionaries.filter((_, k) => k !== i) })}
              />
            </div>
          );
        })}
        {part === 'dictionaries' && <p className={classes.wrong}>{problem?.detail}</p>}
        <Add
          label={t('mask.add_dictionary')}
          onClick={() => set({ dictionaries: [...draft.dictionaries, { name: '', words: '' }] })}
        />
      </fieldset>
      <Textarea
        label={t('mask.allow')}
        description={t('mask.allow_hint')}
        placeholder={t('mask.one_a_line')}
        error={wrong('allow')}
        autosize
        minRows={2}
        maxRows={10}
        spellCheck={false}
        classNames={{ input: classes.mono }}
        value={draft.allow}
        onChange={(e) => set({ allow: e.currentTarget.value })}
      />
    </>
  );
}

function Add({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <Button variant="default" size="xs" leftSection={<IconPlus size={14} />} onClick={onClick}>
      {label}
    </Button>
  );
}

function Remove({ label, onClick }: { label: string; onClick: () => void }) {
  return (
    <ActionIcon variant="subtle" color="gray" aria-label={label} title={label} onClick={onClick}>
      <IconTrash size={15} />
    </ActionIcon>
  );
}
