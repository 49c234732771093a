import { describe, expect, it } from 'vitest';
import en from './en.json';
import ko from './ko.json';

type Tree = { [key: string]: string | Tree };

const leaves = (tree: Tree, prefix = ''): [string, string][] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [[`${prefix}${key}`, value] as [string, string]] : leaves(value, `${prefix}${key}.`),
  );
const marks = (text: string) => [...text.matchAll(/\{\{\w+\}\}|<\/?\w+>/g)].map((m) => m[0]).sort();

// Names that are the same in every language.
const SAME =
  /(^copy\.|\.kind\.|\.class\.|\.value\.|^nav\.(ai|sql)$|trace\.(http|rpc)$|\.url$|transactions\.column\.sql|kind\.sql$|health\.reason\.slow|roles\.parameter|profile\.index|hosts\.(cpu$|line\.nice)|range\.|incidents\.rule|option\.(starttls|tls)$|label\.webhook_url$)/;

describe('the catalogues', () => {
  const english = new Map(leaves(en));
  const korean = new Map(leaves(ko));

  it('have the same keys', () => {
    expect([...korean.keys()].sort()).toEqual([...english.keys()].sort());
  });

  it('use the same placeholders and marks', () => {
    for (const [key, text] of english) expect([key, marks(korean.get(key) ?? '')]).toEqual([key, marks(text)]);
  });

  it('leave nothing empty', () => {
    for (const [key, text] of [...english, ...korean]) expect(text.trim(), key).not.toBe('');
  });

  it('are really translated', () => {
    const untranslated = [...english].filter(
      ([key, text]) => korean.get(key) === text && !SAME.test(key) && /[a-z]{3}/i.test(text),
    );
    expect(untranslated).toEqual([]);
  });
});
