/** What is chosen for each variable; '' is all values. */
export type Chosen = Record<string, string>;

const reference = (name: string) => `(?:\\$\\{${name}(?::\\w+)?\\}|\\$${name}\\b|\\[\\[${name}\\]\\])`;
const inText = (text: string) => text.replace(/[\\"]/g, '\\$&');
const inRegex = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** The query with its variables filled in. All values of a matcher's variable match anything. */
export function fillPromQL(query: string, chosen: Chosen): string {
  let out = query;
  for (const [name, value] of Object.entries(chosen)) {
    const alone = new RegExp(`(=~|!~|!=|=)\\s*"${reference(name)}"`, 'g');
    out = out.replace(alone, (_, operator: string) => {
      if (value === '') return operator.startsWith('!') ? '!=""' : '=~".*"';
      return `${operator}"${inText(operator.endsWith('~') ? inRegex(value) : value)}"`;
    });
    out = out.replace(new RegExp(reference(name), 'g'), () => inText(value));
  }
  return out;
}

/** A search with its variables filled in. A condition on all values is none. */
export function fillSearch(search: string, chosen: Chosen): string {
  let out = search;
  for (const [name, value] of Object.entries(chosen)) {
    if (value === '') out = out.replace(new RegExp(`\\S*"?${reference(name)}"?`, 'g'), '');
    else out = out.replace(new RegExp(reference(name), 'g'), () => inText(value));
  }
  return out.replace(/\s+/g, ' ').trim();
}

/** A text or a name with its variables filled in. */
export function fillText(text: string, chosen: Chosen, all = ''): string {
  let out = text;
  for (const [name, value] of Object.entries(chosen))
    out = out.replace(new RegExp(reference(name), 'g'), () => value || all);
  return out;
}

/** What is chosen, as the address holds it. */
export const writeChosen = (chosen: Chosen) => new URLSearchParams(chosen).toString();
export const readChosen = (text: string): Chosen => Object.fromEntries(new URLSearchParams(text));
