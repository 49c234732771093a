import type { FlameNode } from '../../api/types.ts';

/** A function as called from its parent. */
export interface FlameCall {
  /** Names it in an address: the same whenever the same functions called each other. */
  id: string;
  name: string;
  self: number;
  total: number;
  parent?: FlameCall;
  children: FlameCall[];
}

export interface Calls {
  root: FlameCall;
  /** Callers before what they call. */
  all: FlameCall[];
}

/** The calls of a flame graph, each with its caller. */
export function callsOf(node: FlameNode): Calls {
  const root = call(node);
  const all = [root];
  const open: [FlameNode, FlameCall][] = [[node, root]];
  for (let next = open.pop(); next; next = open.pop()) {
    const [from, to] = next;
    to.children = from.children.map((child) => {
      const made = call(child, to);
      all.push(made);
      open.push([child, made]);
      return made;
    });
  }
  return { root, all };
}

const call = ({ name, self, total }: FlameNode, parent?: FlameCall): FlameCall => ({
  id: parent ? hash(`${parent.id} ${name}`) : '',
  name,
  self,
  total,
  parent,
  children: [],
});

/** FNV-1a, 32 bits. */
function hash(text: string): string {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return (h >>> 0).toString(16).padStart(8, '0');
}

export interface FunctionSum {
  name: string;
  self: number;
  /** Of all stacks it is in, however often it calls itself. */
  total: number;
}

/** What each function did wherever it was called. */
export function functionsOf({ root, all }: Calls): FunctionSum[] {
  const sums = new Map<string, FunctionSum>();
  for (const each of all) {
    if (each === root) continue;
    const sum = sums.get(each.name) ?? { name: each.name, self: 0, total: 0 };
    sums.set(each.name, sum);
    sum.self += each.self;
    if (!above(each, (up) => up.name === each.name)) sum.total += each.total;
  }
  return [...sums.values()];
}

/** The calls whose names hold a text, and what was counted in and below them. */
export function foundIn({ root, all }: Calls, text: string): { calls: ReadonlySet<FlameCall>; total: number } {
  const low = text.toLowerCase();
  const calls = new Set(all.filter((each) => each !== root && each.name.toLowerCase().includes(low)));
  let total = 0;
  for (const each of calls) if (!above(each, (up) => calls.has(up))) total += each.total;
  return { calls, total };
}

function above(from: FlameCall, holds: (up: FlameCall) => boolean): boolean {
  for (let up = from.parent; up; up = up.parent) if (holds(up)) return true;
  return false;
}

/** What a function belongs to, by which frames are coloured: com.shop.order of com.shop.order.service.Orders.find. */
export function moduleOf(name: string): string {
  const parts = name.split(/[./:\s(<]+/).filter(Boolean);
  const type = parts.findIndex((part) => /^\p{Lu}/u.test(part));
  return parts.slice(0, Math.max(1, Math.min(3, type < 0 ? parts.length - 1 : type))).join('.');
}
