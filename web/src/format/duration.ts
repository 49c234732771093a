const MS = 1e6;
const S = 1e9;

type Unit = 'd' | 'h' | 'min' | 's';
const KOREAN: Record<Unit, string> = { d: '일', h: '시간', min: '분', s: '초' };

/**
 * A duration given in nanoseconds, in the unit a reader would choose and with
 * no more digits than matter: 0.4 µs, 348 ms, 1.24 s, 3 min 20 s, 2 h 5 min
 * (Korean: 3분 20초, 2시간 5분).
 */
export function duration(ns: number, language = 'en'): string {
  const abs = Math.abs(ns);
  if (abs === 0) return '0 ms';
  if (abs < 1e3) return `${Math.round(ns)} ns`;
  if (abs < MS) return `${digits(ns / 1e3)} µs`;
  // Rounded first, so that 999.6 ms becomes 1 s and not 1000 ms.
  if (Math.round(abs / MS) < 1000) return `${digits(ns / MS)} ms`;
  if (Math.round(abs / S) < 60) return `${digits(ns / S)} s`;
  const seconds = Math.round(ns / S);
  if (Math.abs(seconds) < 3600) return pair(seconds, 60, 'min', 's', language);
  const minutes = Math.round(seconds / 60);
  if (Math.abs(minutes) < 1440) return pair(minutes, 60, 'h', 'min', language);
  return pair(Math.round(minutes / 60), 24, 'd', 'h', language);
}

/** How long a state has lasted, given in milliseconds; whole minutes are fine enough for that. */
export const lasted = (ms: number, language: string) =>
  ms < 60_000
    ? pair(Math.max(0, Math.floor(ms / 1000)), 60, 'min', 's', language)
    : duration(Math.floor(ms / 60_000) * 60 * S, language);

/** In milliseconds whatever the length, as profiles and reports state it: "11,354 ms", below ten with a digit: "1.2 ms". */
export const exactMs = (ns: number) =>
  `${(ns / MS).toLocaleString('en-US', { maximumFractionDigits: Math.abs(ns) < 10 * MS ? 1 : 0 })} ms`;

function digits(value: number): string {
  const abs = Math.abs(value);
  const places = abs >= 100 ? 0 : abs >= 10 ? 1 : 2;
  return String(Number(value.toFixed(places)));
}

function pair(value: number, per: number, big: Unit, small: Unit, language: string): string {
  const word = (n: number, unit: Unit) => (language === 'ko' ? `${n}${KOREAN[unit]}` : `${n} ${unit}`);
  const whole = Math.trunc(value / per);
  const rest = Math.abs(value % per);
  if (whole === 0) return word(rest, small);
  return rest === 0 ? word(whole, big) : `${word(whole, big)} ${word(rest, small)}`;
}

/** A duration given in milliseconds. */
export const durationMs = (ms: number) => duration(ms * MS);
