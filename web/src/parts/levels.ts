/** The levels of log records, gravest first, with the letter and colour that tell them apart in a dense list. */
export const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'unknown'] as const;
export type Level = (typeof LEVELS)[number];

export const LEVEL_LOOK: Record<Level, { letter: string; colour: string }> = {
  fatal: { letter: 'F', colour: 'var(--mx-s7)' },
  error: { letter: 'E', colour: 'var(--mx-critical)' },
  warn: { letter: 'W', colour: 'var(--mx-warning)' },
  info: { letter: 'I', colour: 'var(--mx-info)' },
  debug: { letter: 'D', colour: 'var(--mx-s8)' },
  trace: { letter: 'T', colour: 'var(--mx-s2)' },
  unknown: { letter: '·', colour: 'var(--mx-ink-3)' },
};
