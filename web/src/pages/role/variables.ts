/** The names of a system message's variables, without language, in the order in which they first stand there. */
export const variablesOf = (message: string): string[] => [
  ...new Set(
    [...message.matchAll(/\{\{\s*([a-z][a-z0-9_]{0,62})\s*\}\}/g)]
      .map((found) => found[1] ?? '')
      .filter((name) => name !== 'language'),
  ),
];
