// Random series as Google keeps them: what its page and its API let people make of a rule, of EXDATE and of RDATE.
import ical from "ical.js";
import { wallsOf } from "./ical-oracle.js";
import { DAY, momentOf, wallAt } from "./zones.js";

// Of zones whose clocks change, those on which the zone data of Node, Python and the product agree.
const ZONES = [
  "Europe/Berlin", "Europe/London", "America/New_York", "America/St_Johns", "America/Havana", "Australia/Lord_Howe",
  "Pacific/Auckland", "Pacific/Chatham", "Asia/Kathmandu", "Asia/Tokyo", "America/Sao_Paulo", "UTC",
];
const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
// Around these days the clocks change somewhere: the northern spring and autumn, the southern autumn and spring.
const CHANGES = [
  "2026-11-01", "2027-03-14", "2027-03-28", "2027-04-04", "2027-09-26", "2027-10-03", "2027-10-31", "2027-11-07",
];
const HOUR = 3_600_000;
/** When all of it is looked at. */
export const NOW = "2026-12-01T00:00:00Z";

/** Chance that a seed repeats: mulberry32. */
export class Chance {
  constructor(seed) { this.state = seed >>> 0; }

  next() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `low` to `high`. */
  int(low, high) { return low + Math.floor(this.next() * (high - low + 1)); }

  is(probability) { return this.next() < probability; }

  of(list) { return list[this.int(0, list.length - 1)]; }

  some(list, most) {
    const left = [...list];
    return Array.from({ length: this.int(1, most) }, () => left.splice(this.int(0, left.length - 1), 1)[0]);
  }
}

/** A calendar of so many series whose rules fit, and the window in which it is looked at. */
export function randomCalendar(chance, name, size, fits) {
  const timeZone = chance.of(ZONES);
  const weeks = chance.of([3, 4, 4, 6, 6, 8, 12, 26, 52]);
  const from = Math.max(Date.parse(NOW), Date.parse(chance.of(CHANGES)) - chance.int(0, weeks * 7) * DAY);
  const window = [from, from + weeks * 7 * DAY].map((moment) => new Date(moment).toISOString());
  const items = Array.from({ length: size }, (_, n) => randomSeries(chance, `${name}x${n}`, timeZone, window, fits));
  return { name, timeZone, window, items };
}

function randomSeries(chance, id, calendarZone, window, fits) {
  const days = chance.is(0.3);
  const zone = days || chance.is(0.5) ? calendarZone : chance.of(ZONES);
  const wall = randomStart(chance, zone, days, Date.parse(window[0]));
  const length = days ? chance.int(1, 3) * DAY : chance.of([15, 30, 60, 90, 480, 1500]) * 60_000;
  const series = { days, zone, wall, length };
  let [rule, first] = [];
  do {
    const endless = randomRule(chance, wall);
    first = someWalls(endless, wall);
    rule = `${endless}${randomEnd(chance, series, first)}`;
  } while (!fits(rule));
  const lines = [`RRULE:${rule}`];
  if (chance.is(0.35)) lines.push(...randomDates(chance, "EXDATE", series, first));
  if (chance.is(0.25)) {
    const hours = days ? 0 : 3;
    const near = Array.from({ length: 3 }, () => wall + chance.int(-20, 120) * DAY + chance.int(-hours, hours) * HOUR);
    lines.push(...randomDates(chance, "RDATE", series, near));
  }
  const recurrence = chance.is(0.2) ? lines.reverse() : lines;
  return { id, status: "confirmed", summary: id, ...times(series, calendarZone), recurrence };
}

/** Mostly within the last years, and always one that the clocks show. */
function randomStart(chance, zone, days, from) {
  const ago = chance.of([chance.int(-30, 60), chance.int(0, 400), chance.int(0, 4500)]);
  const day = Math.floor(from / DAY - ago) * DAY;
  if (days) return day;
  const wall = day + chance.of([0, 1, 2, 3, 8, 9, 12, 17, 22, 23]) * HOUR + chance.of([0, 0, 15, 30]) * 60_000;
  return wallAt(zone, momentOf(zone, wall));
}

function randomRule(chance, wall) {
  const frequency = chance.of(["DAILY", "WEEKLY", "WEEKLY", "MONTHLY", "MONTHLY", "YEARLY"]);
  const parts = [`FREQ=${frequency}`, ...shapes[frequency](chance, wall)];
  // Not so that the rule never comes true: people do not make such, and ical.js would look for it for ever.
  const skips = frequency === "DAILY" ? [1, 2, 3, 5, 10] : [1, 2, 3, 4];
  if (chance.is(0.45) && !(frequency === "MONTHLY" && parts.some((part) => part.startsWith("BYMONTH=")))) {
    parts.splice(1, 0, `INTERVAL=${chance.of(skips)}`);
  }
  if (chance.is(0.3)) parts.push(`WKST=${chance.of(WEEKDAYS)}`);
  return parts.join(";");
}

const ordinal = (chance, most) => `${chance.of([-1, 1, 2, 3, 4, -2, most])}${chance.of(WEEKDAYS)}`;
const monthDays = (chance) => `BYMONTHDAY=${chance.some([1, 2, 13, 15, 28, 29, 30, 31, -1, -2, -3, -15], 3)}`;
const someInEachMonth = (chance) => {
  return `BYMONTHDAY=${[chance.of([1, 14, 28, -1, -20]), ...chance.some([2, 15, 29, 30, 31, -2, -31], 2)]}`;
};
const weekDays = (chance, most) => `BYDAY=${chance.some(WEEKDAYS, most)}`;
const months = (chance) => `BYMONTH=${chance.some([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 3)}`;
const place = (chance) => `BYSETPOS=${chance.of([1, 2, -1, -2, "1,-1"])}`;
const [MO_FR, WEEK] = [WEEKDAYS.slice(0, 5).join(), WEEKDAYS.join()];

/** What people can make of each frequency: on Google's page, or in an .ics file and through the API. */
const shapes = {
  DAILY: (chance) => chance.of([[], [], [weekDays(chance, 4)], [months(chance)], [`BYDAY=${MO_FR}`]]),
  WEEKLY: (chance) => chance.of([[], [weekDays(chance, 4)], [weekDays(chance, 2)], [months(chance), weekDays(chance, 2)]]),
  MONTHLY: (chance) => chance.of([
    [],
    [monthDays(chance)],
    [`BYDAY=${ordinal(chance, 5)}`],
    [`BYDAY=${ordinal(chance, 5)},${ordinal(chance, -5)}`],
    [weekDays(chance, 2)],
    [`BYDAY=${chance.of([MO_FR, WEEK, "SA,SU", weekDays(chance, 3).slice(6)])}`, place(chance)],
    [someInEachMonth(chance), months(chance)],
    [weekDays(chance, 3), monthDays(chance)],
  ]),
  YEARLY: (chance, wall) => chance.of([
    [],
    [months(chance)],
    [months(chance), someInEachMonth(chance)],
    [months(chance), `BYDAY=${ordinal(chance, 5)}`],
    [`BYMONTH=${new Date(wall).getUTCMonth() + 1}`, `BYMONTHDAY=${new Date(wall).getUTCDate()}`],
    [months(chance), `BYDAY=${chance.of([MO_FR, WEEK, "SA,SU"])}`, place(chance)],
    [`BYDAY=${chance.of([1, 2, 10, 20, 52, -1, -2, -10])}${chance.of(WEEKDAYS)}`],
    [monthDays(chance)],
  ]),
};

/** None, a count or a last moment, which most often is the start of an occurrence. */
function randomEnd(chance, { days, zone, wall }, first) {
  if (chance.is(0.5)) return "";
  if (chance.is(0.5)) return `;COUNT=${chance.of([1, 2, 5, 10, chance.int(3, 60), chance.int(10, 400)])}`;
  const last = chance.is(0.6) && first.length > 0 ? chance.of(first) : wall + chance.int(0, 1500) * DAY;
  return `;UNTIL=${days ? stamp(last).slice(0, 8) : `${stamp(momentOf(zone, last))}Z`}`;
}

/** A line of dates in one of the forms that Google gives them. */
function randomDates(chance, name, { days, zone, wall }, candidates) {
  const chosen = Array.from({ length: chance.of([1, 1, 2, 4]) }, () =>
    (candidates.length > 0 && chance.is(0.85) ? chance.of(candidates) : wall + chance.int(0, 60) * DAY));
  if (days) return [`${name};VALUE=DATE:${chosen.map((date) => stamp(date).slice(0, 8))}`];
  if (chance.is(0.4)) return chosen.map((date) => `${name}:${stamp(momentOf(zone, date))}Z`);
  return [`${name};TZID=${zone}:${chosen.map(stamp)}`];
}

/** The first wall clocks of a rule, and some of those of later years; none of the rules that ical.js refuses. */
function someWalls(rule, wall) {
  try {
    return wallsOf(ical.Recur.fromString(rule), wall, Date.parse("2029-01-01")).filter((_, n) => n < 12 || n % 10 === 0);
  } catch {
    return [];
  }
}

/** Google renders a moment in the zone of the calendar, and says the event's beside it. */
function times({ days, zone, wall, length }, calendarZone) {
  if (days) return { start: { date: text(wall).slice(0, 10) }, end: { date: text(wall + length).slice(0, 10) } };
  const moment = (at) => {
    const shown = wallAt(calendarZone, at);
    return { dateTime: text(shown) + offset(shown - at), timeZone: zone };
  };
  return { start: moment(momentOf(zone, wall)), end: moment(momentOf(zone, wall + length)) };
}

const text = (wall) => new Date(wall).toISOString().slice(0, 19);
const stamp = (wall) => text(wall).replace(/[-:]/g, "");

function offset(ms) {
  const minutes = Math.abs(ms) / 60_000;
  const two = (number) => String(number).padStart(2, "0");
  return `${ms < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`;
}
