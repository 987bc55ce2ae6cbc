// What stands in people's calendars, as Google's own JSON, and what the product makes of it: occurrences and conflicts.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { addLesson, connect, externalEvents, signIn, startStack } from "./stack.js";

const { cases } = JSON.parse(readFileSync(new URL("../../cases/recurrence.json", import.meta.url)));
const calendars = Object.fromEntries(cases.map((c) => [c.name, { timeZone: c.calendarTimeZone, items: c.events }]));
let stack;

before(async () => { stack = await startStack(calendars, "2026-12-01T00:00:00Z"); });
after(async () => stack?.stop());

for (const [number, { name, situation, window, lessons, occurrences, conflicts }] of cases.entries()) {
  test(`${name}: ${situation}`, async () => {
    const person = await signIn(stack, name, number);
    const ids = [];
    for (const lesson of lessons) ids.push(await addLesson(person, lesson));
    await connect(person);
    const found = await externalEvents(person, window);
    assert.deepEqual(found.map((event) => [event.googleEventId, event.eventStart, event.eventEnd]), occurrences);
    const pairs = found.flatMap((event) => event.conflicts.map((c) => [ids.indexOf(c.lessonId), c.googleEventId]));
    assert.deepEqual(pairs, conflicts);
    assert.deepEqual(stack.google.unexpected, []);
  });
}
