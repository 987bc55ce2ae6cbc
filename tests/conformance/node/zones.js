// Wall clocks and the time line, by what Node knows of zones. A wall clock is milliseconds, as if it were UTC.

const formats = new Map();

/** What the zone's wall clocks show at a moment. */
export function wallAt(zone, moment) {
  if (zone === "UTC") return moment;
  if (!formats.has(zone)) {
    const parts = ["year", "month", "day", "hour", "minute", "second"].map((part) => [part, "numeric"]);
    const format = { ...Object.fromEntries(parts), timeZone: zone, hourCycle: "h23" };
    formats.set(zone, new Intl.DateTimeFormat("en-US", format));
  }
  const shown = {};
  for (const { type, value } of formats.get(zone).formatToParts(moment)) shown[type] = Number(value);
  return Date.UTC(shown.year, shown.month - 1, shown.day, shown.hour, shown.minute, shown.second);
}

/** The moment that a wall clock means: the first of two, and where the clocks leave it out, as far past the gap. */
export function momentOf(zone, wall) {
  const before = wall - DAY - wallAt(zone, wall - DAY);
  const after = wall + DAY - wallAt(zone, wall + DAY);
  const candidates = [wall + before, wall + after].sort((a, b) => a - b);
  return candidates.find((moment) => wallAt(zone, moment) === wall) ?? wall + before;
}

export const DAY = 86_400_000;
