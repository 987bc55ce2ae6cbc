// An instructor's day on the Scheduling page, in a real browser, against the whole product.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";

import { lookAt, width as widthOf } from "./look.js";
import { openPage, startStack } from "./stack.js";

let stack, browser, page;

before(async () => {
  stack = await startStack();
  browser = await openPage(stack.api);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const look = (name) => lookAt(page, name);

const tab = (name) => page.getByRole("tab", { name }).click();
const section = (title) =>
  page.locator("section").filter({ has: page.getByRole("heading", { name: title }) });

/** Goes to Google's consent screen and answers it. */
async function consent(button, account, answer) {
  await page.getByRole("button", { name: button }).click();
  await page.waitForURL(`${stack.google}/**`);
  await page.getByLabel(account).check();
  await page.getByRole("button", { name: answer }).click();
  await page.waitForURL(`${stack.api}/**`);
}

test("a consent that is denied is said in words, and nothing is connected", async () => {
  await tab("Calendar Sync");
  await consent("Connect Google Calendar", "ada@example.com", "Deny");
  await page.getByText(/^You did not allow it at Google/).waitFor();
  await section("Google Calendar").getByText("Not connected", { exact: true }).waitFor();
  await look("denied");
});

test("an instructor connects, and lessons stand in Google", async () => {
  await consent("Connect Google Calendar", "ada@example.com", "Allow");
  await page.getByText("The calendar is connected.").waitFor();
  assert.equal(new URL(page.url()).search, "?tab=calendar", "a reload does not tell it again");
  await section("Google Calendar").getByText("ada@example.com", { exact: true }).waitFor();
  await section("Google Calendar")
    .getByText(/are all in Google/)
    .waitFor();
  await tab("Lessons");
  await section("Lessons").getByText("In Google").first().waitFor();
  await look("lessons");
});

test("the JavaScript of the tab and of the page around it weighs 170 kB at most", async (context) => {
  const loaded = new Set();
  const note = (request) => request.url().endsWith(".js") && loaded.add(request.url());
  page.on("request", note);
  await page.goto(`${stack.api}/?tab=calendar`);
  await page.locator(".entry").first().waitFor();
  page.off("request", note);
  let bytes = 0;
  for (const script of loaded) bytes += gzipSync(await (await fetch(script)).arrayBuffer()).length;
  context.diagnostic(`JavaScript of the tab on the demo's page: ${(bytes / 1000).toFixed(1)} kB gzip`);
  assert.ok(loaded.size > 1 && bytes <= 170_000, `${bytes} bytes`);
});

test("an open page on which nothing happens is sent 30 kB a minute at most", async () => {
  await tab("Calendar Sync");
  const [status, events] = ["/status/", "/external-events/"].map((path) => unchanged(path));
  const bytes = (await sizeOf(await status)) + (await sizeOf(await events));
  const asksAMinute = 60 / 3;
  assert.ok(bytes * asksAMinute <= 30_000, `${bytes} bytes, ${asksAMinute} times a minute`);
});

/** An answer of the API that says that the page has it already. */
const unchanged = (path) =>
  page.waitForResponse(
    (answer) => answer.url().includes(`/api/v1/calendar${path}`) && answer.status() === 304,
  );

async function sizeOf(answer) {
  const { responseHeadersSize, responseBodySize } = await answer.request().sizes();
  return responseHeadersSize + responseBodySize;
}

let day;

/** Plans something in Google for the whole of that day. */
function plan(summary) {
  const at = (time) => ({ dateTime: `${day}T${time}`, timeZone: "Europe/Berlin" });
  const event = { summary, start: at("00:30:00"), end: at("23:30:00") };
  return stack.control("create-event", { calendar: "ada@example.com", event });
}

test("an event planned over a lesson shows, and the lesson is flagged until it goes", async () => {
  await tab("Lessons");
  await page.getByLabel("Title").fill("Harp");
  await page.getByRole("button", { name: "Add" }).click();
  const lesson = section("Lessons").getByRole("listitem").filter({ hasText: "Harp" });
  await lesson.getByText("In Google").waitFor();
  // Tomorrow, as the page has it.
  day = (await page.getByLabel("Start").inputValue()).slice(0, 10);
  const event = await plan("Dentist");
  await lesson.getByText("Overlap").waitFor();

  await tab("Calendar Sync");
  const conflict = section("Conflicts").getByRole("listitem").filter({ hasText: "Harp" });
  await conflict.getByText("Dentist").waitFor();
  await section("Told to the instructor").getByText("Harp overlaps something in Google").first().waitFor();
  const calendar = section("Calendar").first();
  const [dentist, harp] = ["Dentist", "Harp"].map((title) =>
    calendar.locator(".entry.overlaps").getByText(title),
  );
  // The week begins on Sunday where the browser is.
  const next = new Date(day).getUTCDay() === 0;
  if (next) await calendar.getByRole("button", { name: "Next" }).click();
  await dentist.first().waitFor();
  await harp.first().waitFor();
  await look("calendar");
  await dentist.first().click();
  await page
    .getByRole("dialog")
    .getByText(/It overlaps Harp for/)
    .waitFor();
  await look("event");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await calendar.getByRole("tab", { name: "Month" }).click();
  if (day.endsWith("-01") && !next) await calendar.getByRole("button", { name: "Next" }).click();
  await dentist.first().waitFor();
  await look("month");
  // A day of the month shows its first entries alone.
  await calendar.getByRole("tab", { name: "Week" }).click();

  // By the keyboard alone.
  await conflict.getByRole("button", { name: "This one is fine: Harp, Dentist" }).press("Enter");
  const folded = page.locator(".ignored > summary:focus");
  await folded.getByText(/marked as fine/).waitFor();
  await page.keyboard.press("Enter");
  const fine = page.locator(".ignored").getByRole("listitem").filter({ hasText: "Harp" });
  await fine.getByText("Fine, says the instructor").waitFor();
  await calendar.locator(".entry.lesson:not(.overlaps)").getByText("Harp").first().waitFor();
  await look("fine");
  await fine.getByRole("button", { name: "Flag it again: Harp, Dentist" }).press("Enter");
  await page
    .getByRole("button", { name: "This one is fine: Harp, Dentist" })
    .and(page.locator(":focus"))
    .waitFor();
  await calendar.locator(".entry.overlaps").getByText("Harp").first().waitFor();

  await stack.control("delete-event", { calendar: "ada@example.com", id: event.id });
  await section("Conflicts").getByText("No lesson overlaps anything in Google.").waitFor();
});

test("switches take effect, and what is switched off cannot be synced", async () => {
  await page.getByLabel("Sync is on").uncheck();
  await section("Google Calendar").getByText("Sync is off", { exact: true }).waitFor();
  assert(await page.getByRole("button", { name: "Sync now" }).isDisabled());
  await page.getByLabel("Sync is on").check();
  await section("Google Calendar").getByText("Up to date", { exact: true }).waitFor();
});

test("a sync by hand says what it did, and the history why", async () => {
  await page.getByRole("button", { name: "Sync now" }).click();
  await page.getByText(/^Synced: |goes on in the background|still to be done/).waitFor();
  await section("Activity").getByText("You switched the sync off", { exact: true }).waitFor();
  const run = section("Activity")
    .getByRole("listitem")
    .filter({ has: page.locator("summary") })
    .first();
  await run.locator("summary").first().click();
  assert((await run.locator("details").first().getAttribute("open")) !== null);
  await look("history");
});

test("a sync of some days goes one way", async () => {
  await section("Google Calendar").getByText("Only some days, or one way").click();
  const form = section("Google Calendar").locator("form", { hasText: "Sync these" });
  await form.getByLabel("From", { exact: true }).fill("2030-01-01");
  await form.getByLabel("Direction").selectOption("to_google");
  const asked = page.waitForRequest((request) => request.url().endsWith("/calendar/sync"));
  await form.getByRole("button", { name: "Sync these" }).click();
  const { startDate, endDate, direction } = (await asked).postDataJSON();
  assert.deepEqual([startDate, endDate, direction], ["2030-01-01", "2030-01-01", "to_google"]);
  await page.getByText(/^Synced: nothing was new|goes on in the background/).waitFor();
});

/** Longer than a phone is wide. */
const LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänsklavierunterricht";

const width = () => widthOf(page);

test("on the narrowest phone a day is shown, and nothing is cut off, however long a word is", async () => {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  await page.reload();
  await section("Calendar").first().getByRole("tab", { name: "Day", selected: true }).waitFor();
  const event = await plan(LONG_WORD);
  await section("Conflicts").getByText(LONG_WORD).first().waitFor();
  assert.equal(await width(), 320);
  await look("phone");
  await page.addStyleTag({ content: TEXT_SPACING });
  assert.equal(await width(), 320, "with the spacing of text that WCAG has readers choose");
  await stack.control("delete-event", { calendar: "ada@example.com", id: event.id });
  await page.setViewportSize(size);
  await page.reload();
  await section("Calendar").first().getByRole("tab", { name: "Week", selected: true }).waitFor();
});

/** WCAG 1.4.12. */
const TEXT_SPACING =
  "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important; }";

test("magnified twice, nothing is cut off", async () => {
  const size = page.viewportSize();
  await page.setViewportSize({ width: size.width / 2, height: size.height / 2 });
  assert.equal(await width(), size.width / 2);
  await look("magnified");
  await page.setViewportSize(size);
});

test("in colours that the viewer forces, what colour tells apart is told apart", async () => {
  await page.emulateMedia({ forcedColors: "active" });
  const styleOf = (selector, property) =>
    page
      .locator(selector)
      .first()
      .evaluate((it, property) => globalThis.getComputedStyle(it)[property], property);
  const ground = await styleOf("section", "backgroundColor");
  assert.notEqual(await styleOf(".headline .mark", "backgroundColor"), ground);
  const [chosen, other] = await Promise.all(
    ["true", "false"].map((is) => styleOf(`[role=tab][aria-selected=${is}]`, "borderBottomColor")),
  );
  assert.notEqual(chosen, other, "which tab is open");
  assert.equal(await styleOf(".entry.lesson", "borderTopWidth"), "3px");
  if (process.env.SCREENSHOTS) await page.screenshot({ path: `${process.env.SCREENSHOTS}/forced.png` });
  await page.emulateMedia({ forcedColors: "none" });
});

test("where the viewer wants no motion, nothing moves", async () => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.reload();
  await page.locator(".skeleton, .headline").first().waitFor();
  assert.equal(await page.evaluate(() => globalThis.document.getAnimations().length), 0);
  await section("Calendar").first().getByRole("tab", { name: "Week", selected: true }).waitFor();
  await page.emulateMedia({ reducedMotion: "no-preference" });
});

test("the address names the tab, and going back returns to the one before", async () => {
  await tab("Lessons");
  await section("Lessons").waitFor();
  await page.goBack();
  await section("Google Calendar").waitFor();
  assert.equal(new URL(page.url()).search, "?tab=calendar");
});

// (Later on, a request for the events may come after the disconnect, and find none.)
test("nothing went wrong on the page", () => assert.deepEqual(browser.errors, []));

test("a token that is no longer taken is replaced without a word", async () => {
  let refused;
  await page.route("**/api/v1/calendar/**", (call) => {
    const { authorization } = call.request().headers();
    refused ??= authorization;
    if (authorization !== refused) return call.continue();
    return call.fulfill({ status: 401, json: { message: "Unauthorized" } });
  });
  await page.waitForRequest("**/dev/session?*");
  await unchanged("/status/");
  await page.unroute("**/api/v1/calendar/**");
  assert.equal(await page.getByText("Your session has ended").count(), 0);
});

test("disconnecting asks first, and takes our events out of Google", async () => {
  const menu = page.getByRole("button", { name: "More for this connection" });
  await menu.click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  const focused = await page.evaluate(() => globalThis.document.activeElement.textContent);
  assert.equal(focused, "Stay connected");
  await look("disconnect");
  await page.getByRole("dialog").getByRole("button", { name: "Stay connected" }).click();
  await section("Google Calendar").getByText("Up to date", { exact: true }).waitFor();
  await menu.click();
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await section("Google Calendar").getByText("Not connected", { exact: true }).waitFor();
  const kept = await page.evaluate(() => globalThis.document.activeElement.closest("section")?.textContent);
  assert.match(kept ?? "", /^Google Calendar/, "the menu is gone, and the focus is where it was");
  const events = Object.values(
    await (await fetch(`${stack.google}/control/calendars/ada@example.com`)).json(),
  );
  assert.deepEqual(
    events.filter(({ status }) => status !== "cancelled"),
    [],
  );
});

test("a login whose cookie did not travel is finished by the page", async () => {
  await page.getByRole("button", { name: "Connect Google Calendar" }).click();
  await page.waitForURL(`${stack.google}/**`);
  await page.context().clearCookies();
  await page.getByLabel("ada@example.com").check();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText("The calendar is connected.").waitFor();
  assert.equal(new URL(page.url()).hash, "", "the code is gone from the address");
  await tab("Lessons");
  await tab("Calendar Sync");
  await page.getByText("The calendar is connected.").waitFor();
});

test("another instructor sees their own", async () => {
  await page.getByLabel("Signed in as").selectOption({ label: "Grace Hill" });
  await tab("Lessons");
  await section("Lessons").getByRole("listitem").first().waitFor();
  assert.equal(await section("Lessons").getByText("Harp").count(), 0);
});

test("the simulated calendar is for everyone too, on a phone as well", async () => {
  await page.goto(stack.google);
  await page.getByRole("link", { name: /Piano, beginners/ }).click();
  await page.getByLabel("Title").fill("Piano, renamed");
  await look("google");
  const size = page.viewportSize();
  await page.setViewportSize({ width: 360, height: 720 });
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator(".agenda .lesson").first().waitFor();
  assert.equal(await width(), 360);
  await look("google-phone");
  await page.setViewportSize(size);
});
