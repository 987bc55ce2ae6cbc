/** Times and names as people read them. */

const DAY = { weekday: "short", day: "numeric", month: "short" } as const;
const HOUR = { hour: "2-digit", minute: "2-digit" } as const;

/** A time, in the calendar's zone if it is known. */
export function moment(at: string | null, timeZone?: string): string {
  return at ? new Intl.DateTimeFormat(undefined, { ...DAY, ...HOUR, timeZone }).format(new Date(at)) : "–";
}

/** A time span; the day appears once if it is the same. */
export function span(from: string, to: string, timeZone?: string): string {
  return new Intl.DateTimeFormat(undefined, { ...DAY, ...HOUR, timeZone }).formatRange(
    new Date(from),
    new Date(to),
  );
}

/** Whole days, the last one included: `to` is when the day after it begins. */
export function days(from: string, to: string, timeZone?: string): string {
  const last = Math.max(Date.parse(from), Date.parse(to) - 1);
  return new Intl.DateTimeFormat(undefined, { ...DAY, timeZone }).formatRange(Date.parse(from), last);
}

const MINUTE_MS = 60_000;
const UNITS = [
  ["day", 24 * 60 * MINUTE_MS],
  ["hour", 60 * MINUTE_MS],
  ["minute", MINUTE_MS],
] as const;

/** How long ago a time was, to the largest unit: `2 minutes ago`. */
export function ago(at: string, now = Date.now()): string {
  const passed = now - Date.parse(at);
  const [unit, length] = UNITS.find(([, length]) => passed >= length) ?? ["minute", Infinity];
  if (length === Infinity) return "just now";
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(
    -Math.floor(passed / length),
    unit,
  );
}

/** The time between two moments: `30 min`, `1 h 15 min`. */
export function duration(from: string, to: string): string {
  const minutes = Math.round((Date.parse(to) - Date.parse(from)) / MINUTE_MS);
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  return [hours > 0 && `${hours} h`, (rest > 0 || hours === 0) && `${rest} min`].filter(Boolean).join(" ");
}

/** An API name as words. */
export const words = (name: string): string => name.replaceAll(/[._]/g, " ");

/** `1 lesson`, `2 lessons`. */
export const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;
