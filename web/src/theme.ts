import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from '@mantine/core';

// The one accent of the product. Everything else is ink, line and surface
// (styles/tokens.css) and the four status colours.
const iris: MantineColorsTuple = [
  '#eef1ff',
  '#dde2ff',
  '#bac4fb',
  '#95a4f6',
  '#7788ef',
  '#5f72e8',
  '#4a5cd8',
  '#3e4dbd',
  '#3440a0',
  '#2a3483',
];

// Mantine's greys of the dark scheme, in the tone of our own surfaces.
const dark: MantineColorsTuple = [
  '#e6e9ef',
  '#aeb7c5',
  '#8b96a8',
  '#5d6879',
  '#3a4453',
  '#2b3340',
  '#1b2029',
  '#13171e',
  '#0f1319',
  '#0a0d12',
];

export const theme = createTheme({
  primaryColor: 'iris',
  primaryShade: { light: 6, dark: 6 },
  colors: { iris, dark },
  fontFamily: 'var(--mx-font)',
  fontFamilyMonospace: 'var(--mx-mono)',
  headings: { fontFamily: 'var(--mx-font)', fontWeight: '600' },
  fontSizes: { xs: '12px', sm: '13px', md: '14px', lg: '16px', xl: '20px' },
  defaultRadius: 5,
  cursorType: 'pointer',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'xs' } },
    TextInput: { defaultProps: { size: 'xs' } },
    PasswordInput: { defaultProps: { size: 'xs' } },
    NumberInput: { defaultProps: { size: 'xs' } },
    Select: { defaultProps: { size: 'xs' } },
    MultiSelect: { defaultProps: { size: 'xs' } },
    TagsInput: { defaultProps: { size: 'xs' } },
    Autocomplete: { defaultProps: { size: 'xs' } },
    Textarea: { defaultProps: { size: 'xs' } },
    SegmentedControl: { defaultProps: { size: 'xs' } },
    Switch: { defaultProps: { size: 'xs' } },
    Checkbox: { defaultProps: { size: 'xs' } },
    Tooltip: { defaultProps: { openDelay: 250, withArrow: false, fz: 12 } },
    Menu: { defaultProps: { shadow: 'md', radius: 6, transitionProps: { duration: 80 } } },
    Modal: { defaultProps: { radius: 8, transitionProps: { duration: 100 } } },
  },
});

/** Mantine's own colours follow our tokens, so that both change together. */
export const cssVariablesResolver: CSSVariablesResolver = () => {
  const shared = {
    '--mantine-color-body': 'var(--mx-surface)',
    '--mantine-color-text': 'var(--mx-ink)',
    '--mantine-color-dimmed': 'var(--mx-ink-3)',
    '--mantine-color-placeholder': 'var(--mx-ink-3)',
    '--mantine-color-default': 'var(--mx-surface)',
    '--mantine-color-default-hover': 'var(--mx-hover)',
    '--mantine-color-default-color': 'var(--mx-ink)',
    '--mantine-color-default-border': 'var(--mx-line-strong)',
    '--mantine-color-anchor': 'var(--mx-accent-ink)',
    '--mantine-color-error': 'var(--mx-critical)',
  };
  return { variables: {}, light: shared, dark: shared };
};
