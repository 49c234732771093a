type Instant = string | number | Date;

const tag = (language: string) => (language === 'ko' ? 'ko-KR' : 'en-GB');

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];

/** How long ago, in words: "3 min. ago", "방금". Under a minute it is simply now. */
export function ago(at: Instant, now: number, language: string): string {
  const delta = new Date(at).getTime() - now;
  const words = new Intl.RelativeTimeFormat(tag(language), { style: 'short', numeric: 'auto' });
  for (const [unit, size] of UNITS) {
    if (Math.abs(delta) >= size) return words.format(Math.trunc(delta / size), unit);
  }
  return words.format(0, 'second');
}

/** The absolute time with seconds and the zone's offset: "2026-11-23 14:03:07 UTC+9". */
export function absolute(at: Instant): string {
  const d = new Date(at);
  return `${day(d)} ${clock(d)} ${zone(d)}`;
}

/** As short as the day allows: "14:03:07" today, "11-21 14:03" this year, "2025-11-21" before. */
export function short(at: Instant, now: number): string {
  const d = new Date(at);
  const today = new Date(now);
  if (day(d) === day(today)) return clock(d);
  if (d.getFullYear() === today.getFullYear()) return `${day(d).slice(5)} ${clock(d).slice(0, 5)}`;
  return day(d);
}

/** The clock with milliseconds, for places where spans are compared. */
export const precise = (at: Instant) => {
  const d = new Date(at);
  return `${day(d)} ${clock(d)}.${pad(d.getMilliseconds(), 3)}`;
};

/** The time of a line among lines: "14:03:07.123" today, "11-21 14:03:07.123" on other days. */
export function stamp(at: Instant, now: number): string {
  const d = new Date(at);
  const time = `${clock(d)}.${pad(d.getMilliseconds(), 3)}`;
  return day(d) === day(new Date(now)) ? time : `${day(d).slice(5)} ${time}`;
}

/** The value of an <input type="datetime-local"> for a moment, in the reader's zone. */
export const localInput = (at: Instant) => {
  const d = new Date(at);
  return `${day(d)}T${clock(d).slice(0, 5)}`;
};

/** The same with seconds. */
export const localSeconds = (at: Instant) => {
  const d = new Date(at);
  return `${day(d)}T${clock(d)}`;
};

const pad = (n: number, width = 2) => String(n).padStart(width, '0');
const day = (d: Date) => `${d.getFullYear()}-${pad(d.getMonth() + 1)}-${pad(d.getDate())}`;
const clock = (d: Date) => `${pad(d.getHours())}:${pad(d.getMinutes())}:${pad(d.getSeconds())}`;

function zone(d: Date): string {
  const minutes = -d.getTimezoneOffset();
  if (minutes === 0) return 'UTC';
  const rest = Math.abs(minutes) % 60;
  return `UTC${minutes < 0 ? '−' : '+'}${Math.trunc(Math.abs(minutes) / 60)}${rest ? `:${pad(rest)}` : ''}`;
}
