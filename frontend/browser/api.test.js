// The page of the API, as the one-machine stack serves it, in a real browser.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { parse } from "yaml";

import { operationsOf } from "../api-page/page.js";
import { lookAt, width } from "./look.js";
import { openPage, startStack } from "./stack.js";

let stack, browser, page;
const loaded = [];

before(async () => {
  stack = await startStack();
  browser = await openPage(stack.api);
  page = browser.page;
  page.on("request", (request) => loaded.push(request.url()));
  await page.goto(`${stack.api}/assets/api.html`);
});

after(async () => {
  await browser?.close();
  await stack?.stop();
});

test("every operation of the document has its place, and each link leads somewhere", async () => {
  const document = parse(await readFile(new URL("../../openapi.yaml", import.meta.url), "utf8"));
  const operations = operationsOf(document);
  assert.ok(operations.length > 0);
  for (const { operationId, summary, path } of operations) {
    const section = page.locator(`#${operationId}`);
    await section.getByRole("heading", { name: summary, exact: true }).waitFor();
    await section.getByText(path, { exact: true }).waitFor();
  }
  const lost = await page.evaluate(() =>
    [...globalThis.document.querySelectorAll("a")]
      .map((link) => link.getAttribute("href"))
      .filter((to) => globalThis.document.querySelector(to) === null),
  );
  assert.deepEqual(lost, []);
});

test("it is read by everyone, light and dark, with everything unfolded and on the narrowest phone", async () => {
  await page.evaluate(() => {
    for (const fold of globalThis.document.querySelectorAll("details")) fold.open = true;
  });
  await lookAt(page, "api");
  await page.setViewportSize({ width: 320, height: 640 });
  assert.equal(await width(page), 320);
  await lookAt(page, "api-phone");
});

test("it needs no other file and no network", () => {
  const own = `${stack.api}/assets/api.html`;
  assert.deepEqual(
    loaded.filter((url) => url.startsWith("http") && url !== own),
    [],
  );
  assert.deepEqual(browser.errors, []);
});
