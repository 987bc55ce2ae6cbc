// A host installs the package from its packed file, as docs/host-integration.md says, and is driven in a real browser.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

import { openPage, startStack } from "../../frontend/browser/stack.js";
import { serve } from "./serve.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const frontend = fileURLToPath(new URL("../../frontend", import.meta.url));

const run = async (folder, command, settings = {}) => {
  const [program, ...words] = command.split(" ");
  const env = { ...process.env, ...settings };
  const { stdout } = await promisify(execFile)(program, words, { cwd: folder, env });
  return stdout.trim();
};

let packed, server, stack, browser, page;

before(async () => {
  packed = JSON.parse(await run(frontend, "npm pack --json --foreground-scripts=false"))[0];
  await run(here, `npm install --no-save --no-package-lock --prefer-offline ../../frontend/${packed.filename}`);
  server = await serve(`${here}/dist`);
  stack = await startStack({ FRONTEND_URL: server.address });
  await Promise.all([run(here, "npx tsc"), run(here, "npx vite build --logLevel warn", { VITE_API_URL: stack.api })]);
  browser = await openPage(server.address);
  page = browser.page;
});

after(async () => {
  await browser?.close();
  await stack?.stop();
  server?.stop();
});

const open = () => page.getByRole("button", { name: "My calendar" }).click();

/** Every computed style of what is the host's own. */
const hostStyles = () =>
  page.evaluate(() => {
    const { document, getComputedStyle } = globalThis;
    const own = ["html", "body", "#root", "h1", "section.row", "section.row p", "button.primary"];
    return own.map((selector) => {
      // What is below changes the height, and the width that a scrollbar leaves.
      const sizes = /^(height|width|.*-size|perspective-origin|transform-origin|inset.*|top|bottom|left|right)$/;
      const styles = [...getComputedStyle(document.querySelector(selector))];
      const shown = styles.filter((name) => !sizes.test(name) || name === "font-size");
      const computed = getComputedStyle(document.querySelector(selector));
      return [selector, Object.fromEntries(shown.map((name) => [name, computed.getPropertyValue(name)]))];
    });
  });

test("the guide shows the page and the file that are tested here", async () => {
  const read = (file) => readFile(`${here}/${file}`, "utf8");
  const guide = await read("../../docs/host-integration.md");
  assert.ok(guide.includes(await read("CalendarPage.tsx")));
  assert.ok(guide.includes(`\nnpm pack\nnpm install ../../frontend/${packed.filename}\n`));
});

test("the package holds what it is made of, and nothing else", async () => {
  const files = packed.files.map(({ path }) => path).filter((path) => !path.startsWith("dist/"));
  assert.deepEqual(files.sort(), ["LICENSE", "README.md", "package.json"]);
});

test("the host's page looks as before, and the package's as it should", async () => {
  const before = await hostStyles();
  await open();
  const connect = page.getByRole("button", { name: "Connect Google Calendar" });
  await connect.waitFor();
  assert.deepEqual(await hostStyles(), before);

  const styleOf = (locator) =>
    locator.evaluate((element) => {
      const { letterSpacing, textTransform, borderStyle, padding } = globalThis.getComputedStyle(element);
      return { letterSpacing, textTransform, borderStyle, padding };
    });
  const own = { letterSpacing: "normal", textTransform: "none", borderStyle: "solid", padding: "6px 12px" };
  assert.deepEqual(await styleOf(connect), own);
  const title = page.getByRole("heading", { name: "Google Calendar" });
  assert.equal((await styleOf(title)).textTransform, "none");
});

test("a custom property of the host colours the package", async () => {
  const connect = page.getByRole("button", { name: "Connect Google Calendar" });
  const background = () => connect.evaluate((it) => globalThis.getComputedStyle(it).backgroundColor);
  const paint = (value) =>
    page.evaluate((value) => {
      const { style } = globalThis.document.documentElement;
      style.setProperty("--calendar-sync-accent", value);
    }, value);
  const own = await background();
  await paint("rgb(10, 125, 79)");
  assert.equal(await background(), "rgb(10, 125, 79)");
  await paint("");
  assert.equal(await background(), own);
});

test("an instructor connects, comes back, and sees lessons and busy times", async () => {
  await page.getByRole("button", { name: "Connect Google Calendar" }).click();
  await page.waitForURL(`${stack.google}/**`);
  await page.getByLabel("ada@example.com").check();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.waitForURL(`${server.address}/**`);
  if (!(await page.getByText("The calendar is connected.").isVisible())) await open();
  await page.getByText("The calendar is connected.").waitFor();
  assert.equal(new URL(page.url()).search, "", "a reload does not tell it again");

  // Today, where the browser is. (Sweden writes it as Google does.)
  const day = new Intl.DateTimeFormat("sv", { timeZone: "Europe/Berlin" }).format();
  const at = (time) => ({ dateTime: `${day}T${time}`, timeZone: "Europe/Berlin" });
  const event = { summary: "Dentist", start: at("09:00:00"), end: at("10:00:00") };
  await stack.control("create-event", { calendar: "ada@example.com", event });
  await page.locator(".entry.busy").getByText("Dentist").first().waitFor();
  await page.getByRole("tab", { name: "Month" }).click();
  await page.locator(".entry.lesson").first().waitFor();
  await page.getByRole("tab", { name: "Week" }).click();
});

test("the host is asked for another token once one is refused", async () => {
  let refused;
  const taken = [];
  await page.route("**/api/v1/calendar/**", (call) => {
    const { authorization } = call.request().headers();
    if (authorization === undefined) return call.continue();
    refused ??= authorization;
    if (authorization !== refused) taken.push(authorization);
    if (authorization !== refused) return call.continue();
    return call.fulfill({ status: 401, json: { message: "Unauthorized" } });
  });
  await page.waitForRequest("**/dev/session?*");
  await page.waitForResponse((answer) => answer.url().includes("/status/") && answer.status() < 400);
  await page.unroute("**/api/v1/calendar/**");
  assert.notEqual(taken.length, 0);
  assert.equal(await page.getByText("Your session has ended").count(), 0);
});

test("the tab's JavaScript weighs 170 kB at most", async (context) => {
  const loaded = [];
  page.on("response", (answer) => {
    if (answer.url().endsWith(".js")) loaded.push(answer.body());
  });
  await page.goto(`${server.address}/?calendar`);
  await page.locator(".entry").first().waitFor();
  const bytes = (await Promise.all(loaded)).reduce((sum, body) => sum + gzipSync(body).length, 0);
  context.diagnostic(`JavaScript of the tab, with React: ${(bytes / 1000).toFixed(1)} kB gzip`);
  assert.ok(loaded.length > 1 && bytes <= 170_000, `${bytes} bytes`);
});

// Slow 4G as Chromium's developer tools have it, and a processor of a quarter of the speed.
const SLOW_4G = { offline: false, latency: 562.5, downloadThroughput: 180_000, uploadThroughput: 84_375 };

/** Notes when each of what a person waits for was first there, in milliseconds, one frame at a time. */
function noteFirstSeen() {
  const awaited = {
    connection: ".sync-status .headline",
    conflicts: ".aside section:nth-of-type(2) :is(.list, .empty)",
    calendar: ".calendar .legend",
    entries: ".calendar .entry",
  };
  const seen = (globalThis.seen = {});
  const look = () => {
    for (const [what, selector] of Object.entries(awaited))
      if (globalThis.document.querySelector(selector)) seen[what] ??= Math.round(globalThis.performance.now());
    globalThis.requestAnimationFrame(look);
  };
  look();
}

test("on a slow phone the connection and its conflicts come first, and all keep their places", async (context) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await page.addInitScript(noteFirstSeen);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setCacheDisabled", { cacheDisabled: true });
  await devtools.send("Network.emulateNetworkConditions", SLOW_4G);
  await devtools.send("Emulation.setCPUThrottlingRate", { rate: 4 });
  await page.goto(`${server.address}/?calendar`);
  const skeleton = page.locator(".calendar-sync .skeleton > span").first();
  await skeleton.waitFor();
  const motion = () => skeleton.evaluate((it) => globalThis.getComputedStyle(it).animationName);
  assert.equal(await motion(), "calendar-sync-breathe");
  await page.emulateMedia({ reducedMotion: "reduce" });
  assert.equal(await motion(), "none");
  await page.locator(".entry").first().waitFor();
  const seen = await page.evaluate(() => globalThis.seen);
  const [painted, shift] = await page.evaluate(async () => {
    const { performance, PerformanceObserver } = globalThis;
    const [{ startTime }] = performance.getEntriesByName("first-contentful-paint");
    const shifts = await new Promise((resolve) => {
      const observer = new PerformanceObserver((list) => resolve(list.getEntries()));
      observer.observe({ type: "layout-shift", buffered: true });
      setTimeout(() => resolve([]), 500);
    });
    // What FullCalendar moves within itself, when it has measured its rows, is not the page's.
    const cards = shifts.filter(({ sources }) => sources.some(({ node }) => node?.matches?.("section")));
    return [startTime, cards.reduce((sum, { value }) => sum + value, 0)];
  });
  context.diagnostic(`First contentful paint, Slow 4G and a quarter of the speed: ${Math.round(painted)} ms`);
  context.diagnostic(`Then, in ms: ${JSON.stringify(seen)}`);
  context.diagnostic(`Layout shift of the sections until the calendar stands: ${shift.toFixed(4)}`);
  assert.ok(shift <= 0.02, `${shift}`);
  assert.ok(Math.max(seen.connection, seen.conflicts) < seen.calendar, JSON.stringify(seen));
});

test("nothing went wrong on the page", () =>
  assert.deepEqual(
    browser.errors.filter((error) => !error.includes("401")),
    [],
  ));
