// Looks at a page as people with other eyes do.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const AXE = createRequire(import.meta.url).resolve("axe-core");

/** Holds the page against WCAG 2.2 AA, light and dark; and saves pictures of it into the folder `SCREENSHOTS`, if that is
 * set. */
export async function lookAt(page, name) {
  for (const colorScheme of ["dark", "light"]) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await barriers(page), [], `${name}, ${colorScheme}`);
    if (process.env.SCREENSHOTS)
      await page.screenshot({
        path: `${process.env.SCREENSHOTS}/${name}-${colorScheme}.png`,
        fullPage: true,
      });
  }
}

async function barriers(page) {
  await page.addScriptTag({ path: AXE });
  return page.evaluate(async () => {
    const { axe, document } = globalThis;
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
    // Browsers let keys scroll what has nothing else to focus.
    const rules = { "scrollable-region-focusable": { enabled: false } };
    const { violations } = await axe.run(document, { runOnly: tags, rules });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target).join(" ")}`);
  });
}

/** How wide the page is: more than its window where something sticks out. */
export const width = (page) => page.evaluate(() => globalThis.document.documentElement.scrollWidth);
