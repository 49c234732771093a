import { Combobox, Textarea, useCombobox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { labelsQuery, labelValuesQuery, metadataQuery, metricNamesQuery } from '../../api/metrics.ts';
import classes from './Metric.module.css';
import { FUNCTIONS, placeAt } from './promql.ts';

interface Props {
  project: number;
  value: string;
  label: string;
  wrong?: boolean;
  /** Told at every letter; without it, at Enter and when the field is left. */
  live?: boolean;
  onChange: (next: string) => void;
}

interface Option {
  /** What is put in for the word under the cursor. */
  value: string;
  shown: string;
  about?: string;
}

/** How many completions are offered at once. */
const OFFERED = 40;

/** A field for PromQL: Enter runs it, Shift and Enter breaks the line, what is below completes the word at the cursor. */
export function PromField({ project, value, label, wrong, live, onChange }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const [cursor, setCursor] = useState(value.length);
  const [typed, setTyped] = useState(false);
  const input = useRef<HTMLTextAreaElement>(null);
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  useEffect(() => setText(value), [value]);
  const options = useOptions(project, text, cursor, box.dropdownOpened);
  const place = placeAt(text, cursor);
  const put = (choice: string) => {
    if (place.kind === 'none') return;
    const rest = text.slice(cursor).replace(place.kind === 'value' ? /^[^"'`]*/ : /^[\w:]*/, '');
    const next = text.slice(0, place.begin) + choice + rest;
    const end = place.begin + choice.length + (place.kind === 'value' && /^["'`]/.test(rest) ? 1 : 0);
    setText(next);
    setCursor(end);
    if (live) onChange(next);
    requestAnimationFrame(() => input.current?.setSelectionRange(end, end));
    if (!choice.endsWith('="')) box.closeDropdown();
    box.resetSelectedOption();
  };
  const run = () => {
    box.closeDropdown();
    setTyped(false);
    onChange(text.trim());
  };
  return (
    <div className={classes.field}>
      <Combobox store={box} onOptionSubmit={put}>
        <Combobox.Target>
          <Textarea
            ref={input}
            size="sm"
            autosize
            minRows={1}
            maxRows={8}
            aria-label={label}
            aria-invalid={wrong || undefined}
            placeholder={t('metrics.query_hint')}
            value={text}
            spellCheck={false}
            autoComplete="off"
            styles={{ input: { fontFamily: 'var(--mx-mono)', fontSize: 12.5 } }}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setCursor(event.currentTarget.selectionStart);
              setTyped(true);
              box.openDropdown();
              if (live) onChange(event.currentTarget.value);
            }}
            onSelect={(event) => setCursor(event.currentTarget.selectionStart)}
            onFocus={() => text === '' && box.openDropdown()}
            onBlur={() => {
              box.closeDropdown();
              if (typed && !live) run();
            }}
            onKeyDown={(event) => {
              if (event.key === ' ' && event.ctrlKey) {
                event.preventDefault();
                box.openDropdown();
              }
              if (event.key !== 'Enter' || event.shiftKey || (box.dropdownOpened && box.getSelectedOptionIndex() >= 0))
                return;
              event.preventDefault();
              run();
            }}
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={options.length === 0}>
          <Combobox.Options mah={300} style={{ overflowY: 'auto' }} aria-label={label}>
            {options.map((option) => (
              <Combobox.Option key={option.value} value={option.value}>
                <span className={classes.hint}>
                  <code>{option.shown}</code>
                  {option.about && <small>{option.about}</small>}
                </span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
    </div>
  );
}

function useOptions(project: number, text: string, cursor: number, open: boolean): Option[] {
  const place = placeAt(text, cursor);
  const metric = place.kind === 'label' || place.kind === 'value' ? place.metric : undefined;
  const names = useQuery({ ...metricNamesQuery(project), enabled: open && place.kind === 'name' });
  const metadata = useQuery({ ...metadataQuery(project), enabled: open && place.kind === 'name' });
  const labels = useQuery({ ...labelsQuery(project, metric), enabled: open && place.kind === 'label', retry: false });
  const values = useQuery({
    ...labelValuesQuery(project, place.kind === 'value' ? place.label : '__name__', metric),
    enabled: open && place.kind === 'value',
    retry: false,
  });
  if (!open || place.kind === 'none') return [];
  const word = place.word.toLowerCase();
  const begun = (all: string[]) =>
    all
      .filter((each) => each.toLowerCase().includes(word) && each !== place.word)
      .sort((a, b) => Number(!a.toLowerCase().startsWith(word)) - Number(!b.toLowerCase().startsWith(word)));
  switch (place.kind) {
    case 'name': {
      const said = (name: string) =>
        metadata.data?.[name]?.[0] ?? metadata.data?.[name.replace(/_(bucket|sum|count|total)$/, '')]?.[0];
      const metrics = begun(names.data ?? []).map((name) => ({
        value: name,
        shown: name,
        about: [said(name)?.type, said(name)?.help].filter(Boolean).join(' · '),
      }));
      const functions = word === '' ? [] : begun(Object.keys(FUNCTIONS)).filter((name) => name.startsWith(word));
      const calls = functions.map((name) => ({ value: `${name}(`, shown: name, about: FUNCTIONS[name] }));
      return [...calls, ...metrics].slice(0, OFFERED);
    }
    case 'label':
      return begun((labels.data ?? []).filter((name) => name !== '__name__'))
        .slice(0, OFFERED)
        .map((name) => ({ value: place.matcher ? `${name}="` : name, shown: name }));
    case 'value': {
      const closed = /^[^"'`]*["'`]/.test(text.slice(cursor));
      return begun(values.data ?? [])
        .slice(0, OFFERED)
        .map((each) => ({ value: each.replace(/[\\"]/g, '\\$&') + (closed ? '' : '"'), shown: each }));
    }
  }
}
