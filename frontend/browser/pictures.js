// Takes pictures of every state, light, dark, on phones, in German, magnified and in colours that the viewer forces, into
// `browser/pictures`: `npm run pictures`, or some of them, `npm run pictures -- at-work event`. Those that the documents show go there as well.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { openPage, startStack } from "./stack.js";
import { STATES } from "./states.js";

const folder = (name) => fileURLToPath(new URL(name, import.meta.url));
const PICTURES = folder("./pictures");
const DOCS = folder("../../docs");

const VIEWS = {
  light: { colorScheme: "light", width: 1200, height: 900 },
  dark: { colorScheme: "dark", width: 1200, height: 900 },
  phone: { colorScheme: "light", width: 390, height: 844 },
  narrow: { colorScheme: "dark", locale: "de-DE", width: 320, height: 640 },
  german: { colorScheme: "light", locale: "de-DE", width: 1200, height: 900 },
  magnified: { colorScheme: "light", width: 600, height: 450 },
  forced: { colorScheme: "light", forcedColors: "active", width: 1200, height: 900 },
};

/** The documents' pictures. */
const SHOWN = [
  "at-work-light",
  "not-connected-light",
  "first-sync-light",
  "event-dark",
  "lesson-failed-phone",
  "permission-withdrawn-phone",
];
const MAX_SHOWN_BYTES = 150_000;

// On a Tuesday, so that all of it is in one week.
const NOW = "2026-12-01T08:00:00Z";
const PLANS = [
  ["Dentist", 1, "10:30", "11:30"],
  ["Train to Hamburg", 2, "08:00", "10:30"],
  ["Lunch with Grace", 3, "12:30", "13:30"],
  ["Rehearsal", 4, "09:30", "12:00"],
];

const wanted = process.argv.slice(2);
const list = await readFile(folder("./STATES.md"), "utf8");
for (const { name } of STATES)
  assert.ok(list.includes(`| \`${name}\` `), `STATES.md does not say what ${name} shows`);

await mkdir(PICTURES, { recursive: true });
const stack = await startStack({ LOCAL_NOW: NOW });
let page;
try {
  await withPage("en-US", work);
  for (const locale of ["en-US", "de-DE"]) await withPage(locale, () => pictures(locale));
} finally {
  await stack.stop();
}

/** Does something with a page whose viewer reads this language. */
async function withPage(locale, act) {
  const opened = await openPage(stack.api, locale);
  page = opened.page;
  try {
    await page.clock.setFixedTime(NOW);
    await act();
  } finally {
    await opened.close();
  }
}

async function pictures(locale) {
  const views = Object.keys(VIEWS).filter((view) => (VIEWS[view].locale ?? "en-US") === locale);
  for (const state of STATES.filter(({ name }) => wanted.length === 0 || wanted.includes(name)))
    for (const view of views) await picture(state, view);
}

/** A calendar is connected, and one of the plans in it overlaps a lesson. */
async function work() {
  await page.goto(`${stack.api}/?tab=calendar`);
  await page.getByRole("button", { name: "Connect Google Calendar" }).click();
  await page.getByLabel("ada@example.com").check();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText(/are all in Google/).waitFor();
  for (const [summary, ahead, from, to] of PLANS) {
    const day = new Date(Date.parse(NOW) + ahead * 86_400_000).toISOString().slice(0, 10);
    const at = (time) => ({ dateTime: `${day}T${time}:00`, timeZone: "Europe/Berlin" });
    const event = { summary, start: at(from), end: at(to) };
    await stack.control("create-event", { calendar: "ada@example.com", event });
  }
  await page.locator(".conflict").getByText("Dentist").waitFor();
  await page.locator(".entry").getByText("Rehearsal").waitFor();
}

async function picture(state, view) {
  const { colorScheme, forcedColors = "none", width, height } = VIEWS[view];
  await page.emulateMedia({ colorScheme, forcedColors });
  await page.setViewportSize({ width, height });
  await page.route("**/calendar/status/**", (call) => answer(call, state));
  await page.goto(`${stack.api}/?tab=${state.tab ?? "calendar"}${state.search ?? ""}`);
  await page
    .locator(state.waits ? ".skeleton" : ".calendar-sync h2")
    .first()
    .waitFor();
  await settled();
  await state.act?.(page);
  await settled();
  const name = `${state.name}-${view}`;
  await page.screenshot({ path: `${PICTURES}/${name}.png`, fullPage: !state.dialog, animations: "disabled" });
  if (SHOWN.includes(name)) await show(name, { fullPage: !state.dialog && view !== "phone" });
  await page.context().setOffline(false);
  await page.unroute("**/calendar/status/**");
}

/** Answers as the API would in this state. */
async function answer(call, { waits, answer, status }) {
  if (waits) return;
  if (answer) return call.fulfill(answer);
  if (!status) return call.continue();
  const headers = { ...call.request().headers() };
  delete headers["if-none-match"];
  const { data } = await (await call.fetch({ headers })).json();
  await call.fulfill({ json: { success: true, data: status(data) } });
}

/** Half a second without a change: the calendar measures itself. */
function settled() {
  return page.evaluate(
    () =>
      new Promise((resolve) => {
        const { MutationObserver, document, setTimeout, clearTimeout } = globalThis;
        let timer = setTimeout(resolve, 500);
        new MutationObserver(() => {
          clearTimeout(timer);
          timer = setTimeout(resolve, 500);
        }).observe(document.body, { childList: true, subtree: true });
      }),
  );
}

async function show(name, { fullPage }) {
  const path = `${DOCS}/${name.replace(/-light$/, "")}.png`;
  const { length } = await page.screenshot({ path, fullPage, animations: "disabled" });
  assert.ok(length <= MAX_SHOWN_BYTES, `${name}: ${length} bytes`);
}
