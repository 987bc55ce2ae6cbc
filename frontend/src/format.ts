/** Times as people read them, in one language. */

const DAY = { weekday: "short", day: "numeric", month: "short" } as const;
const HOUR = { hour: "2-digit", minute: "2-digit" } as const;

const MINUTE_MS = 60_000;
const UNITS = [
  ["day", 24 * 60 * MINUTE_MS],
  ["hour", 60 * MINUTE_MS],
  ["minute", MINUTE_MS],
] as const;

/** Whether a zone is not the viewer's own. */
export const isElsewhere = (timeZone: string): boolean =>
  timeZone !== Intl.DateTimeFormat().resolvedOptions().timeZone;

/** How far a zone's clocks are ahead of UTC at a moment. */
function offsetMs(at: number, timeZone: string): number {
  const written = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).format(at);
  const [, sign = "", hours, minutes] = /([+-])(\d\d):(\d\d)/.exec(written) ?? [];
  return Number(`${sign}1`) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0)) * MINUTE_MS;
}

/** When the clocks of a zone show this time, `2026-03-02 09:30`. */
function whenShown(clock: string, timeZone: string): Date {
  const at = Date.parse(`${clock.replace(" ", "T")}Z`);
  return new Date(at - offsetMs(at - offsetMs(at, timeZone), timeZone));
}

/** Times say their zone where it is not the viewer's own. */
export interface Formats {
  /** A time, in the calendar's zone if it is known. */
  moment: (at: string | null, timeZone?: string) => string;
  /** A time that the calendar's clocks show: `2026-03-02 09:30`. */
  clock: (clock: string, timeZone?: string) => string;
  /** A time span; the day appears once if it is the same. */
  span: (from: string, to: string, timeZone?: string) => string;
  /** Whole days, the last one included: `to` is when the day after it begins. */
  days: (from: string, to: string, timeZone?: string) => string;
  /** How long ago a time was, to the largest unit: `2 minutes ago`. */
  ago: (at: string, now?: number) => string;
  /** The time between two moments: `30 min`, `1 hr 15 min`. */
  duration: (from: string, to: string) => string;
}

/** `justNow` stands for less than a minute ago. */
export function formats(locale: string, justNow: string): Formats {
  const times = (timeZone?: string, zoneIsSaid = timeZone !== undefined && isElsewhere(timeZone)) =>
    new Intl.DateTimeFormat(locale, {
      ...DAY,
      ...HOUR,
      timeZone,
      ...(zoneIsSaid && { timeZoneName: "short" }),
    });
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
  const unit = (number: number, unit: "hour" | "minute") =>
    new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "short" }).format(number);
  return {
    moment: (at, timeZone) => (at ? times(timeZone).format(new Date(at)) : "–"),
    clock: (clock, timeZone) =>
      timeZone === undefined
        ? times("UTC", false).format(whenShown(clock, "UTC"))
        : times(timeZone).format(whenShown(clock, timeZone)),
    span: (from, to, timeZone) => times(timeZone).formatRange(new Date(from), new Date(to)),
    days: (from, to, timeZone) => {
      const last = Math.max(Date.parse(from), Date.parse(to) - 1);
      return new Intl.DateTimeFormat(locale, { ...DAY, timeZone }).formatRange(Date.parse(from), last);
    },
    ago: (at, now = Date.now()) => {
      const passed = now - Date.parse(at);
      const found = UNITS.find(([, length]) => passed >= length);
      return found ? relative.format(-Math.floor(passed / found[1]), found[0]) : justNow;
    },
    duration: (from, to) => {
      const minutes = Math.round((Date.parse(to) - Date.parse(from)) / MINUTE_MS);
      const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
      return [hours > 0 && unit(hours, "hour"), (rest > 0 || hours === 0) && unit(rest, "minute")]
        .filter(Boolean)
        .join(" ");
    },
  };
}
