// What ical.js says of a series. It works out wall clocks; this file puts them on the time line.
import ical from "ical.js";
import { DAY, momentOf, wallAt } from "./zones.js";

/** Whether ical.js can be asked about a rule: its known faults are in the table of differences (../README.md). */
export function isJudged(rule) {
  const { freq, count, parts } = ical.Recur.fromString(rule);
  const { BYDAY: days, BYMONTHDAY: monthDays, BYMONTH: months, BYSETPOS: positions } = parts;
  const inEachMonth = monthDays?.every((day) => day >= 1 && day <= 28);
  switch (freq) {
    case "DAILY": return !(count && (days || months));
    case "WEEKLY": return !months;
    case "MONTHLY": return !months && !(days && monthDays) && !(days?.length > 1 && /5/.test(days)) && !(positions && count);
    case "YEARLY": return days ? months && !(positions && months.length > 1) : monthDays ? inEachMonth : !months;
    default: return false;
  }
}

/** The occurrences of a series that overlap the window, as `[start, end]` in milliseconds. */
export function occurrences(event, window, calendarZone) {
  const [from, to] = window.map(Date.parse);
  const shape = shapeOf(event, calendarZone);
  const found = new Map();
  const gone = new Set();
  for (const line of event.recurrence) {
    const property = ical.Property.fromString(line);
    const walls = property.name === "rrule"
      ? ruleWalls(property.getFirstValue(), shape, from - shape.length - 2 * DAY, wallAt(shape.zone, to) + DAY)
      : property.getValues().map((date) => wallOf(date, property, shape));
    for (const wall of walls) {
      const [start, end] = placed(wall, shape);
      if (property.name === "exdate") gone.add(start);
      // Where the clocks make one moment of two times, the longer occurrence counts.
      else found.set(start, Math.max(end, found.get(start) ?? end));
    }
  }
  // A series begins where it starts, whatever its rule says.
  found.set(...shape.first);
  return [...found].filter(([start, end]) => start < to && end > from && !gone.has(start)).sort(([a], [b]) => a - b);
}

function shapeOf({ start, end }, calendarZone) {
  if (start.date) {
    const [wall, last] = [Date.parse(start.date), Date.parse(end.date)];
    const first = [momentOf(calendarZone, wall), momentOf(calendarZone, last)];
    return { days: true, zone: calendarZone, wall, length: last - wall, first };
  }
  const zone = start.timeZone;
  const first = [Date.parse(start.dateTime), Date.parse(end.dateTime)];
  const [wall, last] = first.map((moment) => wallAt(zone, moment));
  return { days: false, zone, wall, length: last - wall, first };
}

/** An occurrence ends by the clock, unless a change of clocks would have it end before it begins. */
function placed(wall, { zone, length }) {
  const [start, end] = [momentOf(zone, wall), momentOf(zone, wall + length)];
  return [start, end > start ? end : start + length];
}

function ruleWalls(rule, shape, from, to) {
  if (rule.until) rule.until = timeAt(wallOf(rule.until, undefined, shape));
  // Google shows such a rule once a year, in the month of the start.
  if (rule.freq === "YEARLY" && rule.parts.BYMONTHDAY && !rule.parts.BYMONTH) {
    rule.parts.BYMONTH = [new Date(shape.wall).getUTCMonth() + 1];
  }
  return wallsOf(rule, shape.wall, to).filter((wall) => wall >= from);
}

/** The wall clocks of a rule from `start` to `to`. */
export function wallsOf(rule, start, to) {
  let first = start;
  if (rule.freq === "MONTHLY" && rule.parts.BYSETPOS && !rule.count) {
    // In its first month ical.js begins with the first weekday, whatever its position: so one month earlier.
    const day = new Date(start);
    first = Date.UTC(day.getUTCFullYear(), day.getUTCMonth() - rule.interval, 1) + start % DAY;
  }
  const iterator = rule.iterator(timeAt(first));
  const walls = [];
  for (let next; (next = iterator.next()); ) {
    const wall = Date.UTC(next.year, next.month - 1, next.day, next.hour, next.minute, next.second);
    if (wall > to) break;
    if (wall >= start) walls.push(wall);
  }
  return walls;
}

/** A date of UNTIL, EXDATE or RDATE on the wall clocks of the series. */
function wallOf(date, property, { days, zone }) {
  const { year, month, day, hour, minute, second } = date;
  if (days) return Date.UTC(year, month - 1, day);
  const wall = Date.UTC(year, month - 1, day, hour, minute, second);
  if (date.zone === ical.Timezone.utcTimezone) return wallAt(zone, wall);
  const named = property?.getParameter("tzid");
  return named && named !== zone ? wallAt(zone, momentOf(named, wall)) : wall;
}

const timeAt = (wall) => ical.Time.fromDateTimeString(new Date(wall).toISOString().slice(0, 19));
