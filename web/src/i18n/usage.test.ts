import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'vite';
import { describe, expect, it } from 'vitest';
import en from './en.json';

const sources = (dir: string): string[] =>
  readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return sources(path);
    return /\.tsx?$/.test(entry.name) && !/\.(test|d)\.tsx?$/.test(entry.name) ? [path] : [];
  });
const files = sources(join(import.meta.dirname, '..')).map((path) => ({ path, text: readFileSync(path, 'utf8') }));

// Attributes a reader sees or hears. Text between tags is the linter's (noJsxLiterals).
const TOLD = new Set(['aria-label', 'title', 'placeholder', 'label', 'alt', 'description']);
// The product's own name is the same in every language.
const NAME = 'MATRIX';

describe('the screens', () => {
  it('say nothing that is not in the catalogues', () => {
    const found: string[] = [];
    const look = (node: unknown, path: string) => {
      if (typeof node !== 'object' || node === null) return;
      const { type, name, value } = node as {
        type?: string;
        name?: { name?: string };
        value?: { type?: string; value?: unknown };
      };
      if (
        type === 'JSXAttribute' &&
        TOLD.has(String(name?.name)) &&
        value?.type === 'Literal' &&
        value.value !== NAME &&
        /\p{L}/u.test(String(value.value))
      ) {
        found.push(`${path}: ${name?.name}="${value.value}"`);
      }
      for (const each of Object.values(node)) look(each, path);
    };
    for (const { path, text } of files.filter((f) => f.path.endsWith('.tsx')))
      look(parseAst(text, { lang: 'tsx' }), path);
    expect(found).toEqual([]);
  });

  it('use every entry of the catalogues', () => {
    const all = files.map((f) => f.text).join('\n');
    const found = (pattern: RegExp) => new Set([...all.matchAll(pattern)].map((m) => m[1]));
    const [literals, heads, tails] = [found(/['"]([\w.]+)['"]/g), found(/`([\w.]+)\.\$\{/g), found(/\}\.([\w.]+)`/g)];
    const keys = (tree: object, prefix = ''): string[] =>
      Object.entries(tree).flatMap(([key, value]) =>
        typeof value === 'string' ? [`${prefix}${key}`] : keys(value, `${prefix}${key}.`),
      );
    const used = (key: string) => {
      if (literals.has(key)) return true;
      // Keys made of a fixed beginning and a value: t(`timeline.${kind}`).
      const parts = key.split('.');
      return parts.some((_, i) => {
        const head = parts.slice(0, i + 1).join('.');
        const rest = parts.slice(i + 2).join('.');
        return heads.has(head) && (rest === '' || tails.has(rest));
      });
    };
    expect(keys(en).filter((key) => !used(key))).toEqual([]);
  }, 30_000);
});
