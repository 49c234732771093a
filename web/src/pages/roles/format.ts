import { isObject, placeIn, readJson } from '../../parts/json.ts';

/** Why a response format cannot be used. */
export interface FormatFault {
  line: number;
  column: number;
  /** Of the value at fault, such as schema.properties.name; empty for the whole. */
  path: string;
  /** What is wanted there. */
  wants: 'json' | 'object' | 'json_schema' | 'name' | 'schema' | 'types' | 'list' | 'names';
}

const TYPES = ['string', 'number', 'integer', 'boolean', 'object', 'array', 'null'];
const NAME = /^[A-Za-z0-9_-]{1,64}$/;

type Found = Pick<FormatFault, 'path' | 'wants'>;

/** The first mistake in the text of a response format; nothing when it can be saved. Without text answers are free. */
export function formatFault(text: string): FormatFault | undefined {
  if (text.trim() === '') return undefined;
  const read = readJson(text);
  if ('at' in read) return { ...placeIn(text, read.at), path: '', wants: 'json' };
  const found = mistake(read.value);
  if (!found) return undefined;
  // What is missing has no place: the value that lacks it has.
  let at: number | undefined;
  for (let path = found.path; at === undefined; path = path.replace(/(\.|^)[^.]*$/, '')) at = read.places.get(path);
  return { ...placeIn(text, at), ...found };
}

function mistake(format: unknown): Found | undefined {
  if (!isObject(format)) return { path: '', wants: 'object' };
  if (format.type !== 'json_schema') return { path: 'type', wants: 'json_schema' };
  if (typeof format.name !== 'string' || !NAME.test(format.name)) return { path: 'name', wants: 'name' };
  if (!isObject(format.schema)) return { path: 'schema', wants: 'schema' };
  return inSchema(format.schema, 'schema');
}

/** The keywords whose mistakes are made most; all others are left to the server. */
function inSchema(schema: unknown, path: string): Found | undefined {
  if (typeof schema === 'boolean') return undefined;
  if (!isObject(schema)) return { path, wants: 'schema' };
  const { type, required } = schema;
  const types = Array.isArray(type) ? type : [type];
  if (type !== undefined && !types.every((each) => TYPES.includes(each)))
    return { path: `${path}.type`, wants: 'types' };
  if (required !== undefined && !(Array.isArray(required) && required.every((each) => typeof each === 'string'))) {
    return { path: `${path}.required`, wants: 'names' };
  }
  if (schema.enum !== undefined && !Array.isArray(schema.enum)) return { path: `${path}.enum`, wants: 'list' };
  for (const keyword of ['properties', '$defs']) {
    const named = schema[keyword];
    if (named === undefined) continue;
    if (!isObject(named)) return { path: `${path}.${keyword}`, wants: 'object' };
    for (const [name, each] of Object.entries(named)) {
      const found = inSchema(each, `${path}.${keyword}.${name}`);
      if (found) return found;
    }
  }
  for (const keyword of ['anyOf', 'oneOf', 'allOf']) {
    const all = schema[keyword];
    if (all === undefined) continue;
    if (!Array.isArray(all)) return { path: `${path}.${keyword}`, wants: 'list' };
    for (const [i, each] of all.entries()) {
      const found = inSchema(each, `${path}.${keyword}[${i}]`);
      if (found) return found;
    }
  }
  return schema.items === undefined ? undefined : inSchema(schema.items, `${path}.items`);
}
