/** JSON with the place of every value in its text, by path such as schema.properties.name or items[0]; or the place at which it is none. */
export type Read = { value: unknown; places: Map<string, number> } | { at: number };

const STRING = /"(?:[^"\\\p{Cc}]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const SPACE = /[ \t\r\n]*/y;

class Stop {
  readonly at: number;
  constructor(at: number) {
    this.at = at;
  }
}

/** Reads JSON; browsers disagree about how they tell where it breaks, so it is looked for here. */
export function readJson(text: string): Read {
  const places = new Map<string, number>();
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const expect = (mark: string) => {
    take(SPACE);
    if (text[at] !== mark) throw new Stop(at);
    at += 1;
  };
  /** The parts of an object or array up to its end, with commas between them. */
  const parts = (end: string, one: (number: number) => void) => {
    at += 1;
    take(SPACE);
    for (let n = 0; text[at] !== end || n > 0; n += 1) {
      one(n);
      take(SPACE);
      if (text[at] !== ',') break;
      at += 1;
    }
    expect(end);
  };
  const value = (path: string) => {
    take(SPACE);
    places.set(path, at);
    if (text[at] === '{') {
      parts('}', () => {
        take(SPACE);
        const name = take(STRING);
        if (name === undefined) throw new Stop(at);
        expect(':');
        value(path ? `${path}.${JSON.parse(name)}` : JSON.parse(name));
      });
    } else if (text[at] === '[') {
      parts(']', (n) => value(`${path}[${n}]`));
    } else if (take(STRING) === undefined && take(NUMBER) === undefined && take(WORD) === undefined) {
      throw new Stop(at);
    }
  };
  try {
    value('');
    take(SPACE);
    if (at < text.length) throw new Stop(at);
    return { value: JSON.parse(text), places };
  } catch (stop) {
    if (stop instanceof Stop) return { at: stop.at };
    throw stop;
  }
}

/** Line and column of a place in a text, from 1. */
export function placeIn(text: string, at: number): { line: number; column: number } {
  const before = text.slice(0, at).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
