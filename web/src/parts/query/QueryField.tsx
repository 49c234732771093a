import { CloseButton, Tooltip } from '@mantine/core';
import { IconAlertCircle, IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { count } from '../../format/number.ts';
import { type Known, suggest } from './complete.ts';
import { fault } from './language.ts';
import classes from './QueryField.module.css';

interface Props {
  label: string;
  placeholder: string;
  value: string;
  onRun: (query: string) => void;
  /** What the server says is wrong with the value. */
  mistake?: string;
  /** Fields and values to complete with. */
  known: Known[];
  /** The reader has come here: what is known will be needed. */
  onFocus?: () => void;
}

/** A search in the query language: completes fields and values, runs on Enter, shows where a mistake is. */
export function QueryField({ label, placeholder, value, onRun, mistake, known, onFocus }: Props) {
  const { t } = useTranslation();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState(value);
  const [caret, setCaret] = useState(0);
  const [open, setOpen] = useState(false);
  const [at, setAt] = useState(-1);
  const [shift, setShift] = useState(0);
  useEffect(() => setText(value), [value]);

  const offers = open ? suggest(text, caret, known) : [];
  const current = Math.min(at, offers.length - 1);
  // A mistake is shown as long as the text is the one it is in.
  const wrong = mistake !== undefined && text === value ? fault(text, mistake) : undefined;

  const run = (query: string) => {
    setOpen(false);
    setText(query);
    onRun(query.trim());
  };
  const take = (offer: (typeof offers)[number]) => {
    const next = text.slice(0, offer.from) + offer.text + text.slice(offer.to);
    const behind = offer.from + offer.text.length;
    setText(next);
    setCaret(behind);
    setAt(-1);
    // A field goes on with its value, a value is the end of it.
    setOpen(offer.text.endsWith(':'));
    requestAnimationFrame(() => input.current?.setSelectionRange(behind, behind));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return; // Hangul in the making
    const chosen = offers[current];
    const first = chosen ?? offers[0];
    if (event.key === 'ArrowDown' && offers.length > 0) setAt(Math.min(current + 1, offers.length - 1));
    else if (event.key === 'ArrowDown') setOpen(true);
    else if (event.key === 'ArrowUp' && offers.length > 0) setAt(Math.max(current - 1, -1));
    else if (event.key === 'Enter' && chosen) take(chosen);
    else if (event.key === 'Enter') run(text);
    else if (event.key === 'Tab' && !event.shiftKey && text.trim() && first) take(first);
    else if (event.key === 'Escape' && offers.length > 0) setOpen(false);
    else if (event.key === 'Escape') input.current?.blur();
    else return;
    event.preventDefault();
  };
  const follow = () => setShift(input.current?.scrollLeft ?? 0);

  return (
    <div className={classes.query}>
      <div className={classes.field} data-wrong={wrong ? true : undefined}>
        <IconSearch size={16} aria-hidden />
        <div className={classes.text}>
          <input
            ref={input}
            data-page-search
            role="combobox"
            aria-label={label}
            aria-expanded={offers.length > 0}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={current >= 0 ? `${id}-${current}` : undefined}
            aria-invalid={wrong ? true : undefined}
            aria-describedby={wrong ? `${id}-wrong` : undefined}
            aria-keyshortcuts="/"
            placeholder={placeholder}
            autoComplete="off"
            autoCapitalize="off"
            spellCheck={false}
            maxLength={4096}
            value={text}
            onChange={(event) => {
              setText(event.currentTarget.value);
              setCaret(event.currentTarget.selectionStart ?? 0);
              setAt(-1);
              setOpen(true);
            }}
            onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? 0)}
            onFocus={onFocus}
            onClick={() => setOpen(true)}
            onBlur={() => setOpen(false)}
            onKeyDown={onKeyDown}
            onScroll={follow}
          />
          {wrong && (
            <div className={classes.under} aria-hidden style={{ transform: `translateX(${-shift}px)` }}>
              {text.slice(0, wrong.from)}
              <u>{text.slice(wrong.from, wrong.to) || ' '}</u>
            </div>
          )}
        </div>
        {text && (
          <CloseButton
            size="sm"
            aria-label={t('query.clear')}
            onClick={() => {
              run('');
              input.current?.focus();
            }}
          />
        )}
        <Tooltip label={t('query.focus')}>
          <kbd aria-hidden>{'/'}</kbd>
        </Tooltip>
      </div>
      {wrong && (
        <p id={`${id}-wrong`} className={classes.wrong} role="alert">
          <IconAlertCircle size={15} aria-hidden />
          <span>{t('query.mistake', { column: wrong.column })}</span>
          <span lang="en">{wrong.what}</span>
        </p>
      )}
      <div
        id={`${id}-list`}
        role="listbox"
        aria-label={t('query.offers')}
        className={classes.offers}
        hidden={offers.length === 0}
      >
        {offers.map((offer, i) => (
          <div
            key={offer.text}
            id={`${id}-${i}`}
            role="option"
            tabIndex={-1}
            aria-selected={i === current}
            className={classes.offer}
            onMouseMove={() => setAt(i)}
            onMouseDown={(event) => {
              event.preventDefault(); // the field keeps the focus
              take(offer);
            }}
          >
            <code className="clip">{offer.text}</code>
            <span className="dim">
              {offer.example ?? (offer.count === undefined ? t('query.field') : count(offer.count))}
            </span>
          </div>
        ))}
      </div>
    </div>
  );
}
