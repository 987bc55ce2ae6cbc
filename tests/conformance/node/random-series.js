// Shows random series to the product through a scripted Google, and says what it makes of them.
import { connect, externalEvents, signIn, startStack } from "./stack.js";
import { Chance, NOW, randomCalendar } from "./series.js";

/** In one calendar, so that a page of its occurrences, for which each series is looked at, does not take long. */
const SERIES_IN_A_CALENDAR = 25;
const AT_ONCE = 4;

/** The series of `seed` whose rules fit, each with its calendar's zone, a window, and what the product shows in it. */
export async function shownSeries(seed, count, fits = () => true) {
  const chance = new Chance(seed);
  const names = Array.from({ length: count / SERIES_IN_A_CALENDAR }, (_, n) => `c${n}`);
  const calendars = names.map((name) => randomCalendar(chance, name, SERIES_IN_A_CALENDAR, fits));
  const stack = await startStack(Object.fromEntries(calendars.map((calendar) => [calendar.name, calendar])), NOW);
  try {
    const shown = [];
    const waiting = [...calendars.entries()];
    const worker = async () => {
      for (let next; (next = waiting.shift()); ) shown.push(...(await show(stack, ...next)));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (stack.google.unexpected.length > 0) throw new Error(`not in the script: ${stack.google.unexpected[0]}`);
    return shown;
  } finally {
    await stack.stop();
  }
}

async function show(stack, number, { name, timeZone, window, items }) {
  const person = await signIn(stack, name, number);
  await connect(person);
  const found = await externalEvents(person, window);
  return items.map((event) => {
    const own = found.filter(({ googleEventId }) => googleEventId === event.id);
    const occurrences = own.map(({ eventStart, eventEnd }) => [eventStart, eventEnd]);
    return { timeZone, window, event, occurrences };
  });
}
