import type { Parameters } from '../../api/types.ts';

/** The parameters most roles set. */
export const COMMON = ['temperature', 'top_p', 'max_tokens'] as const;
/** The numbers among the others. */
export const FURTHER = ['top_k', 'seed', 'presence_penalty', 'frequency_penalty'] as const;
/** All that a model may take or not. */
export const PARAMETERS = [...COMMON, ...FURTHER, 'stop', 'reasoning_effort'] as const;
export const EFFORTS = ['minimal', 'low', 'medium', 'high'] as const;

/** The parameters that are set, as one reads them. */
export const setParameters = (parameters: Parameters = {}): [(typeof PARAMETERS)[number], string][] =>
  PARAMETERS.flatMap((name) => {
    const value = parameters[name];
    if (value === undefined || value === '' || (Array.isArray(value) && value.length === 0)) return [];
    return [[name, Array.isArray(value) ? value.map(shown).join(' | ') : String(value)]];
  });

/** A text at which an answer ends, with its line breaks and tabs as they are typed: \n, \t. */
export const shown = (stop: string) =>
  stop.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');

const MARKS: Record<string, string> = { n: '\n', t: '\t', r: '\r' };

/** What was typed, with line breaks and tabs in it. */
export const typed = (stop: string) => stop.replace(/\\(.)/g, (_, mark: string) => MARKS[mark] ?? mark);
