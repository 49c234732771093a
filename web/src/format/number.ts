/** A count as a person reads it: 7, 1,234, 12.4 k, 3.1 M. Exact below ten thousand. */
export function count(n: number): string {
  const abs = Math.abs(n);
  if (abs < 10_000) return n.toLocaleString('en-US');
  if (abs < 999_500) return `${trim(n / 1e3)} k`;
  if (abs < 999_500_000) return `${trim(n / 1e6)} M`;
  return `${trim(n / 1e9)} G`;
}

/** A number of any size and without a unit, in four digits: 0.00214, 12.5, 1,234, 3.1 M. */
export const figure = (n: number): string =>
  Math.abs(n) >= 10_000 ? count(n) : Number(n.toPrecision(4)).toLocaleString('en-US', { maximumSignificantDigits: 4 });

/** Bytes in powers of 1,024: 512 B, 3.4 KiB, 1.2 GiB. */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  while (n >= 1023.5 && unit < units.length - 1) {
    n /= 1024;
    unit += 1;
  }
  return `${trim(unit === 0 ? Math.round(n) : n)} ${units[unit]}`;
}

/** A share between 0 and 1 in percent: 0.4 %, 12 %, 99.7 %. Never 100 % or 0 % for what is not quite that. */
export function percent(share: number): string {
  const p = share * 100;
  if (p > 0 && p < 0.1) return '<0.1 %';
  if (p > 99.9 && p < 100) return '>99.9 %';
  return `${Number(p.toFixed(p < 10 || p > 99 ? 1 : 0))} %`;
}

/**
 * How often, given per second, in the unit that makes it a number above one: "12.4/s", "4.2/min", "0.3/h".
 * On an axis all are written in the unit of its largest.
 */
export function rate(perSecond: number, most = perSecond): string {
  const abs = Math.abs(most);
  if (abs === 0 || abs >= 1) return `${abs < 100 ? trim(perSecond) : count(Math.round(perSecond))}/s`;
  if (abs >= 1 / 60) return `${trim(perSecond * 60)}/min`;
  return `${trim(perSecond * 3600)}/h`;
}

/** Now against usual: "14.2×". Below ten with one digit, above a hundred none. */
export const ratio = (r: number) => `${Number(r.toFixed(r < 100 ? 1 : 0))}×`;

/** What it costs in US dollars: "$0.0031", "$1.24"; undefined when the price is not known. */
export function dollars(usd: number | null | undefined): string | undefined {
  if (usd === null || usd === undefined) return undefined;
  if (usd > 0 && usd < 0.0001) return '<$0.0001';
  return `$${usd.toFixed(usd === 0 || usd >= 1 ? 2 : 4)}`;
}

const trim = (n: number) => String(Number(n.toFixed(Math.abs(n) >= 100 ? 0 : 1)));
