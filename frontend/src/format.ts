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

/** An API name as words. */
export const words = (name: string): string => name.replaceAll(/[._]/g, " ");

/** `1 lesson`, `2 lessons`. */
export const count = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;
