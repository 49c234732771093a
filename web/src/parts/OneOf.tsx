import { Autocomplete, type AutocompleteProps } from '@mantine/core';

/** A name that is known, or any other. */
export function OneOf({ onChange, ...props }: AutocompleteProps & { onChange: (value: string) => void }) {
  return <Autocomplete {...props} maxLength={200} onChange={(value) => onChange(value.trim())} />;
}
