// Takes the README's picture: a calendar in which an event overlaps a lesson. `npm run picture -- ../docs/at-work.png`.
import { openPage, startStack } from "./stack.js";

const [file] = process.argv.slice(2);
if (!file) throw new Error("where to?");
const PLANS = [
  ["Dentist", 1, "10:30", "11:30"],
  ["Train to Hamburg", 2, "08:00", "10:30"],
  ["Lunch with Grace", 3, "12:30", "13:30"],
  ["Rehearsal", 4, "09:30", "12:00"],
];

// On a Tuesday, so that all of it is in one week.
const NOW = "2026-12-01T08:00:00Z";
const stack = await startStack({ LOCAL_NOW: NOW });
const { page, close } = await openPage(stack.api);
try {
  await page.clock.setFixedTime(NOW);
  await page.reload();
  await page.getByRole("tab", { name: "Calendar Sync" }).click();
  await page.getByRole("button", { name: "Connect Google Calendar" }).click();
  await page.getByLabel("ada@example.com").check();
  await page.getByRole("button", { name: "Allow" }).click();
  await page.getByText(/Nothing waits to be written/).waitFor();

  for (const [summary, ahead, from, to] of PLANS) {
    const day = new Date(Date.parse(NOW) + ahead * 86_400_000).toISOString().slice(0, 10);
    const at = (time) => ({ dateTime: `${day}T${time}:00`, timeZone: "Europe/Berlin" });
    const event = { summary, start: at(from), end: at(to) };
    await stack.control("create-event", { calendar: "ada@example.com", event });
  }
  await page.locator(".entry.overlaps").getByText("Dentist").first().waitFor();
  await page.getByText("Rehearsal").first().waitFor();
  await page.screenshot({ path: file, clip: { x: 0, y: 0, width: 1200, height: 1240 } });
} finally {
  await close();
  await stack.stop();
}
