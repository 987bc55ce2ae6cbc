// Measures how soon the page shows something on a slow phone, and how soon it answers when there is much on it:
// `make speed`. It fails where a bound is not kept.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { openPage, startStack } from "./stack.js";

/** The Slow 4G of Chromium's own tools, and a processor of a quarter of this one's speed. */
const SLOW_4G = { offline: false, latency: 562.5, downloadThroughput: 180_000, uploadThroughput: 84_375 };
const SLOWDOWN = 4;

const MAX_FIRST_PAINT_MS = 2000;
const MAX_INTERACTION_MS = 200;
const [EVENTS, CONFLICTS] = [1000, 600];
const LOADS = 3;

const BUILT = fileURLToPath(new URL("../demo/dist", import.meta.url));
const TYPES = { html: "text/html", js: "text/javascript", css: "text/css" };

const stack = await startStack();
const host = await startHost(stack.api);
const { page, close } = await openPage(host.address);
const failures = [];
try {
  await connect();
  await firstPaint();
  await firstInteraction();
  assert.deepEqual(failures, []);
} finally {
  await close();
  host.stop();
  await stack.stop();
}

/** Serves the page compressed, as any host does, and what else there is from the stack. */
async function startHost(api) {
  const server = createServer(async (asked, answer) => {
    const { pathname } = new URL(asked.url, api);
    const file = pathname === "/" ? "/index.html" : pathname;
    const type = TYPES[file.split(".").at(-1)];
    if (type === undefined || file.includes("..")) {
      const { method, headers } = asked;
      asked.pipe(
        request(new URL(asked.url, api), { method, headers }, (its) => {
          answer.writeHead(its.statusCode, its.headers);
          its.pipe(answer);
        }),
      );
      return;
    }
    answer.writeHead(200, { "Content-Type": type, "Content-Encoding": "gzip" });
    answer.end(gzipSync(await readFile(BUILT + file)));
  });
  await new Promise((resolve) => server.listen(0, "localhost", resolve));
  const stop = () => server.close(() => undefined);
  return { address: `http://localhost:${server.address().port}`, stop };
}

/** On the stack's own address, to which a login returns. */
async function connect() {
  await page.goto(`${stack.api}/?tab=calendar`);
  await page.getByRole("button", { name: "Connect Google Calendar" }).click();
  await page.getByLabel("ada@example.com").check();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText(/are all in Google/).waitFor();
}

function bound(what, ms, max) {
  console.log(`${what}: ${ms.toFixed(0)} ms (${max} ms at most)`);
  if (!(ms <= max)) failures.push(`${what}: ${ms.toFixed(0)} ms`);
}

/** The best of some loads: the machine may be busy with other things. */
async function firstPaint() {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  await devtools.send("Network.emulateNetworkConditions", SLOW_4G);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  const loads = [];
  for (let load = 0; load < LOADS; load++) {
    await page.goto(`${host.address}/?tab=calendar`);
    await page.locator(".entry").first().waitFor();
    loads.push(await page.evaluate(timesOfLoad));
  }
  const best = (name) => Math.min(...loads.map((load) => load[name]));
  bound("first contentful paint, Slow 4G and a slow processor", best("paint"), MAX_FIRST_PAINT_MS);
  console.log(`lessons and events stand in the calendar after ${best("all").toFixed(0)} ms`);
  await devtools.detach();
}

function timesOfLoad() {
  const { performance } = globalThis;
  const [{ startTime: paint }] = performance.getEntriesByName("first-contentful-paint");
  return { paint, all: performance.now() };
}

/** On a page with much on it an event is opened, and then the month. */
async function firstInteraction() {
  const start = new Date();
  start.setHours(8, 0, 0, 0);
  const events = Array.from({ length: EVENTS }, (_, number) => event(start, number));
  await page.route("**/external-events/**", async (call) => {
    const { data } = await (await call.fetch()).json();
    const at = Number(new URL(call.request().url()).searchParams.get("cursor") ?? 0);
    const nextCursor = at + 100 < EVENTS ? String(at + 100) : null;
    await call.fulfill({
      json: { success: true, data: { ...data, events: events.slice(at, at + 100), nextCursor } },
    });
  });
  await page.route("**/calendar/status/**", async (call) => {
    const { data } = await (await call.fetch()).json();
    const conflicts = events.slice(0, 100).map(({ conflicts: [first], title }) => ({ ...first, title }));
    const counts = { ...data.counts, conflicts: CONFLICTS };
    await call.fulfill({ json: { success: true, data: { ...data, counts, conflicts } } });
  });
  await page.goto(`${host.address}/?tab=calendar`);
  await page.locator(".entry.busy").first().waitFor();
  await page.evaluate(observe);
  const much = `with ${EVENTS} events and ${CONFLICTS} conflicts`;
  const opened = await press(page.locator(".entry.busy").first());
  bound(`the first press, which opens an event, ${much}`, opened, MAX_INTERACTION_MS);
  await page.keyboard.press("Escape");
  const month = await press(page.locator('.calendar [role="tab"]').last());
  console.log(`the month, ${much}: ${month} ms`);
}

/** How long a press takes until the page shows something else, in milliseconds. */
async function press(target) {
  await page.evaluate(() => (globalThis.slowest = 0));
  await target.click();
  await page.evaluate(() => new Promise((resolve) => globalThis.setTimeout(resolve, 1000)));
  return page.evaluate(() => globalThis.slowest);
}

/** The time from each press to the next picture. */
function observe() {
  const observer = new globalThis.PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) globalThis.slowest = Math.max(globalThis.slowest, duration);
  });
  observer.observe({ type: "event", durationThreshold: 16 });
}

/** Forty a day, of which the first 600 overlap a lesson. */
function event(start, number) {
  const from = new Date(start.getTime() + Math.floor(number / 40) * 86_400_000 + (number % 40) * 900_000);
  const [eventStart, eventEnd] = [from, new Date(from.getTime() + 1_800_000)].map((at) => at.toISOString());
  const id = `1e550000-0000-4000-8000-${String(number % 30).padStart(12, "0")}`;
  const conflict = {
    lessonId: id,
    googleEventId: `event${number}`,
    occurrenceStart: eventStart,
    overlapStart: eventStart,
    overlapEnd: eventEnd,
    foundAt: eventStart,
  };
  const hasConflict = number < CONFLICTS;
  return {
    googleEventId: `event${number}`,
    calendarId: "primary",
    title: `Event ${number}`,
    location: null,
    eventStart,
    eventEnd,
    allDayEvent: false,
    eventStatus: "confirmed",
    recurring: false,
    private: false,
    blocks: true,
    freeBecause: null,
    hasConflict,
    conflicts: hasConflict ? [conflict] : [],
  };
}
