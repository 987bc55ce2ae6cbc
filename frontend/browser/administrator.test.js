// What an administrator sees of the connected calendars and does for them, in a real browser, against the whole product.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { lookAt, width } from "./look.js";
import { openPage, startStack } from "./stack.js";

let stack, browser, page;

before(async () => {
  stack = await startStack();
  browser = await openPage(stack.api);
  page = browser.page;
  await connect("Ada Berger", "ada@example.com");
  await connect("Grace Hill", "grace@example.com");
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

const signIn = (label) => page.getByLabel("Signed in as").selectOption({ label });
const row = (name) => page.locator(".connection").filter({ has: page.getByText(name, { exact: true }) });
const button = (name) => page.getByRole("button", { name, exact: true });

async function connect(name, account) {
  await signIn(name);
  await page.getByRole("tab", { name: "Calendar Sync" }).click();
  await button("Connect Google Calendar").click();
  await page.getByLabel(account).check();
  await button("Allow").click();
  await page.getByText(/are all in Google/).waitFor();
}

test("an administrator sees every connected calendar, and syncs one", async () => {
  await signIn("Administrator");
  for (const [name, account] of [
    ["Ada Berger", "ada@example.com"],
    ["Grace Hill", "grace@example.com"],
  ]) {
    await row(name).getByText("Working").waitFor();
    await row(name).getByText(account).waitFor();
  }
  await page.getByText("2 calendars, that is all.").waitFor();
  await button("Sync now, Ada Berger").click();
  await row("Ada Berger")
    .getByText(/^Synced: |goes on in the background/)
    .waitFor();
  await lookAt(page, "connections");
});

test("what is typed narrows what is shown", async () => {
  await page.getByRole("searchbox").fill("grace@");
  await row("Ada Berger").waitFor({ state: "detached" });
  await row("Grace Hill").waitFor();
  await page.getByRole("searchbox").fill("");
  await row("Ada Berger").waitFor();
});

test("an administrator sees when an instructor is busy, and not with what", async () => {
  const day = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const at = (time) => ({ dateTime: `${day}T${time}`, timeZone: "Europe/Berlin" });
  const event = { summary: "Dentist", start: at("00:30:00"), end: at("23:30:00") };
  await stack.control("create-event", { calendar: "ada@example.com", event });
  await button("More for Ada Berger").press("Enter");
  await button("Show when they are busy").click();
  const dialog = page.getByRole("dialog", { name: "When Ada Berger is busy" });
  await dialog.getByRole("tab", { name: "Month" }).click();
  if (day.endsWith("-01")) await dialog.getByRole("button", { name: "Next" }).click();
  await dialog.locator(".entry").getByText("Busy").first().waitFor();
  assert.equal(await page.getByText("Dentist").count(), 0);
  await lookAt(page, "busy");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
});

test("a permission that was withdrawn is counted, said, and has a link to send", async () => {
  await stack.control("end-grants", { account: "grace@example.com", end: "revoked" });
  await button("Sync now, Grace Hill").click();
  await row("Grace Hill").getByText("Permission withdrawn").waitFor();
  await page.getByText("1 calendar needs attention").waitFor();
  await lookAt(page, "withdrawn");
  await button("Show").click();
  await row("Ada Berger").waitFor({ state: "detached" });
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  await button("Copy reconnect link, Grace Hill").click();
  await page.getByText("The link is copied. Send it to the instructor.").waitFor();
  const link = await page.evaluate(() => globalThis.navigator.clipboard.readText());
  assert.equal(link, `${stack.api}/?tab=calendar`);
});

test("on the narrowest phone nothing is cut off", async () => {
  const size = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  await page.getByRole("combobox", { name: "Show" }).selectOption("all");
  await row("Ada Berger").waitFor();
  assert.equal(await width(page), 320);
  await lookAt(page, "connections-phone");
  await page.setViewportSize(size);
});

test("disconnecting asks first, with the safe answer chosen", async () => {
  await button("More for Grace Hill").click();
  await row("Grace Hill").getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("heading", { name: "Disconnect the calendar of Grace Hill?" }).waitFor();
  assert.equal(await page.evaluate(() => globalThis.document.activeElement.textContent), "Stay connected");
  await lookAt(page, "disconnect-other");
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await row("Grace Hill").waitFor({ state: "detached" });
  const kept = await page.evaluate(() => globalThis.document.activeElement.closest("section")?.textContent);
  assert.match(kept ?? "", /^Connected calendars/, "the row is gone, and the focus is where it was");
  await page.getByText("1 calendar, that is all.").waitFor();
});

test("every state has its words, beside each other and one by one", async () => {
  const states = [
    { state: "needs_reauth", reason: "invalid_grant" },
    { state: "failing", reason: "google_unavailable", failures: 4 },
    { state: "client_refused", reason: "deleted_client" },
    { push: "suspect" },
    { syncing: true },
    { syncing: true, lastSyncedAt: null },
    { state: "switched_off" },
    { state: "disconnecting" },
    {},
  ];
  const list = (connections, nextCursor = null) => ({
    json: { success: true, data: { connections, nextCursor } },
  });
  let answer = list(states.map(connection), "more");
  await page.route("**/api/v1/calendar/connections*", (call) =>
    call.request().url().includes("limit=")
      ? call.fulfill(list(states.slice(0, 4).map(connection)))
      : answer && call.fulfill(answer),
  );
  const showing = async (name, text) => {
    await page.reload();
    await page.locator("p").getByText(text).first().waitFor();
    await lookAt(page, name);
  };
  await showing("every-state", "Refused by Google");
  await page.setViewportSize({ width: 320, height: 640 });
  await showing("every-state-phone", "Refused by Google");
  assert.equal(await width(page), 320);
  await page.setViewportSize({ width: 1200, height: 900 });
  answer = list([]);
  await showing("none", "No calendar is connected yet");
  answer = {
    status: 503,
    json: { success: false, error: { code: "store_unavailable", message: "Try later." } },
  };
  await showing("no-answer", "Try later.");
  answer = undefined;
  await page.reload();
  await page.locator(".skeleton.rows").waitFor();
  await lookAt(page, "loading");
  await page.unroute("**/api/v1/calendar/connections*");
});

/** A connection as the API lists it. */
function connection({ push = "healthy", ...change }, number) {
  const id = `5c7a1e00-0000-4000-8000-0000000000${String(number + 10)}`;
  const name = ["margarethe.von-sonnenburg", "li", "noor", "anna", "tom", "zoe", "max", "eva", "jan"][number];
  return {
    instructorId: id,
    connectionId: id,
    googleAccount: `${name}@music-school.example.com`,
    calendarId: "primary",
    state: "active",
    reason: null,
    description: "Google did not answer as it should. The sync goes on by itself.",
    syncing: false,
    connectedAt: "2026-03-01T08:00:00.000Z",
    lastSyncedAt: new Date(Date.now() - (2 + number ** 4) * 60_000).toISOString(),
    nextSyncAt: null,
    failures: 0,
    push: { state: push, description: "", webhookExpiration: null },
    ...change,
  };
}
