import type { CallAsker } from '../../api/types.ts';

/** Who can be chosen among, by name; who was chosen is among them also where nobody of that number asked in this time. */
export function askersOf(askers: CallAsker[], by: CallAsker['by'], chosen: string | undefined, nobody: string) {
  const found = askers.filter((each) => each.by === by);
  if (chosen && !found.some((each) => each.key === chosen)) found.push({ by, key: chosen, name: '', calls: 0 });
  const nameOf = ({ key, name }: CallAsker) => name || (by !== 'purpose' && key === '0' ? nobody : key);
  return found
    .map((each) => {
      const label = nameOf(each);
      const shared = found.some((other) => other !== each && nameOf(other) === label);
      return { value: each.key, label: shared ? `${label} (${each.key})` : label };
    })
    .sort((a, b) => a.label.localeCompare(b.label));
}
