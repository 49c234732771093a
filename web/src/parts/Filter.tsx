import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconSearch } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';

interface Props {
  label: string;
  value: string;
  width?: number;
  /** Only digits can be typed. */
  digits?: boolean;
  onChange: (next: string) => void;
}

/** Filters while one types, and follows the value when it changes elsewhere: by a link, or by the way back. */
export function Filter({ label, value, width = 220, digits, onChange }: Props) {
  const [text, setText] = useState(value);
  const told = useRef(value);
  const later = useDebouncedCallback((next: string) => {
    told.current = next;
    onChange(next);
  }, 250);
  useEffect(() => {
    if (value === told.current) return;
    told.current = value;
    later.cancel();
    setText(value);
  }, [value, later]);
  return (
    <TextInput
      type="search"
      w={width}
      leftSection={<IconSearch size={15} />}
      inputMode={digits ? 'numeric' : undefined}
      placeholder={label}
      aria-label={label}
      value={text}
      onChange={(event) => {
        const next = digits ? event.currentTarget.value.replace(/\D/g, '') : event.currentTarget.value;
        setText(next);
        later(next.trim());
      }}
    />
  );
}

/** Whether one of the texts holds what was typed, whatever its case. */
export const holds = (typed: string, ...texts: string[]) =>
  texts.some((each) => each.toLowerCase().includes(typed.toLowerCase()));
