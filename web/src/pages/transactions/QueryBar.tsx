import { Combobox, TextInput, useCombobox } from '@mantine/core';
import { IconFilterSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { asProblem } from '../../api/problem.ts';
import { fault, hints, wordAt } from './query.ts';
import classes from './Scatter.module.css';

interface Props {
  value: string;
  /** Values seen in the list, by field. */
  known: Record<string, string[]>;
  error: unknown;
  onChange: (next: string) => void;
}

/** The search: Enter runs it, the hints below complete the word under the cursor. */
export function QueryBar({ value, known, error, onChange }: Props) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const [cursor, setCursor] = useState(value.length);
  const input = useRef<HTMLInputElement>(null);
  const box = useCombobox({ onDropdownClose: () => box.resetSelectedOption() });
  useEffect(() => setText(value), [value]);
  const begin = wordAt(text, cursor);
  const options = hints(text.slice(begin, cursor), known);
  const complete = (choice: string) => {
    const end = begin + choice.length;
    setText(text.slice(0, begin) + choice + text.slice(cursor));
    setCursor(end);
    requestAnimationFrame(() => input.current?.setSelectionRange(end, end));
    if (/[:=~<>.]$/.test(choice)) box.resetSelectedOption();
    else box.closeDropdown();
  };
  const problem = error ? asProblem(error) : undefined;
  const wrong = problem?.field === 'q' ? fault(problem.detail) : undefined;
  return (
    <div className={classes.input}>
      <Combobox store={box} onOptionSubmit={complete} withinPortal={false}>
        <Combobox.Target>
          <TextInput
            ref={input}
            type="search"
            size="sm"
            aria-label={t('scatter.query')}
            placeholder={t('scatter.query_hint')}
            leftSection={<IconFilterSearch size={16} />}
            value={text}
            spellCheck={false}
            autoComplete="off"
            aria-invalid={wrong ? true : undefined}
            styles={{ input: { fontFamily: 'var(--mx-mono)', fontSize: 12.5 } }}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setCursor(event.currentTarget.selectionStart ?? event.currentTarget.value.length);
              box.openDropdown();
              if (event.currentTarget.value === '') onChange('');
            }}
            onSelect={(event) => setCursor(event.currentTarget.selectionStart ?? 0)}
            onFocus={() => box.openDropdown()}
            onBlur={() => box.closeDropdown()}
            onKeyDown={(event) => {
              if (event.key !== 'Enter' || (box.dropdownOpened && box.getSelectedOptionIndex() >= 0)) return;
              event.preventDefault();
              box.closeDropdown();
              onChange(text.trim());
            }}
          />
        </Combobox.Target>
        <Combobox.Dropdown hidden={options.length === 0}>
          <Combobox.Options mah={260} style={{ overflowY: 'auto' }} aria-label={t('scatter.query')}>
            {options.map(({ value: each, example }) => (
              <Combobox.Option key={each} value={each}>
                <span className={classes.hint}>
                  <code>{each}</code>
                  <code className="dim">{example}</code>
                </span>
              </Combobox.Option>
            ))}
          </Combobox.Options>
        </Combobox.Dropdown>
      </Combobox>
      {wrong && (
        <div className={classes.fault} role="alert">
          {t('scatter.wrong_at', { column: wrong.column })} {wrong.message}
          <code>
            {[...value].slice(0, wrong.column - 1).join('')}
            <mark>{[...value][wrong.column - 1] ?? '␣'}</mark>
            {[...value].slice(wrong.column).join('')}
          </code>
        </div>
      )}
    </div>
  );
}
