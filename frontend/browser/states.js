// Every state in which an instructor can find the page. STATES.md says what each has to show.

const counting = (status, counts) => ({ ...status, counts: { ...status.counts, ...counts } });
const withoutConflicts = (status) => ({ ...counting(status, { conflicts: 0 }), conflicts: [] });

/** That a person said of each conflict that it is fine. */
function ignoring(status) {
  const ignored = { by: "office", role: "admin", at: status.conflicts[0].foundAt };
  return {
    ...withoutConflicts(counting(status, { conflictsIgnored: status.conflicts.length })),
    ignoredConflicts: status.conflicts.map((pair) => ({ ...pair, state: "ignored", ignored })),
  };
}

const setting = (status, settings) => ({ ...status, settings: { ...status.settings, ...settings } });

/** That the lesson which overlaps something could not be synced. */
function failing(status, reason) {
  const [{ lessonId, overlapStart, overlapEnd }] = status.conflicts;
  const failure = { lessonId, eventStart: overlapStart, eventEnd: overlapEnd, reason };
  return { ...counting(status, { lessonsFailed: 1 }), failures: [failure] };
}

const firstSync = (status, lessonsWaiting) => ({
  ...counting(withoutConflicts(status), { lessonsWaiting }),
  lastSyncedAt: null,
  logs: [],
});

function firstListing(status) {
  const startedAt = status.connectedAt;
  const progress = { startedAt, eventsListed: 7500, lessonsWaiting: 160, lessonsInAll: 200 };
  return { ...firstSync(status, 160), progress };
}

const NOT_CONNECTED = {
  connected: false,
  state: "not_connected",
  reason: null,
  description: "No calendar is connected.",
  counts: { lessonsWaiting: 0, lessonsFailed: 0, conflicts: 0, conflictsIgnored: 0 },
  failures: [],
  conflicts: [],
  ignoredConflicts: [],
  logs: [],
  nextCursor: null,
};

/** `status` changes what the API says of the connection, `answer` takes its place, and with `waits` there is none. `search`
 * is what a login brings along. `act` is what the person does then, which may open a `dialog`. */
export const STATES = [
  { name: "lessons", tab: "lessons" },
  { name: "not-connected", status: () => NOT_CONNECTED },
  { name: "refused", status: () => NOT_CONNECTED, search: "&calendar=error&code=consent_denied" },
  { name: "other-account", search: "&calendar=error&code=other_account" },
  { name: "loading", waits: true },
  { name: "reading", status: (status) => firstSync(status, 0), search: "&calendar=connected" },
  { name: "first-sync", status: (status) => firstSync(status, 117) },
  { name: "first-listing", status: firstListing },
  { name: "up-to-date", status: withoutConflicts },
  { name: "at-work" },
  {
    name: "event",
    dialog: true,
    act: async (page) => {
      const event = page.locator(".entry.busy.overlaps").first();
      // On a phone a day is shown, and it is on the next.
      if ((await event.count()) === 0) await page.locator(".calendar button").nth(2).click();
      await event.click();
    },
  },
  {
    name: "ignored",
    status: ignoring,
    act: (page) => page.locator(".ignored > summary").click(),
  },
  { name: "writing", status: (status) => counting(status, { lessonsWaiting: 3 }) },
  {
    name: "lesson-failed",
    status: (status) => failing(status, "Google refused with 403 (forbidden)."),
  },
  {
    name: "held-up",
    status: (status) => ({
      ...status,
      state: "failing",
      reason: "google_unavailable",
      description: "Google did not answer as it should. The sync goes on by itself.",
    }),
  },
  {
    name: "client-refused",
    status: (status) => ({
      ...status,
      state: "client_refused",
      reason: "deleted_client",
      description:
        "Google refuses this application itself. Its operator has to mend that; the sync goes on by itself then.",
    }),
  },
  {
    name: "permission-withdrawn",
    status: (status) => ({
      ...status,
      state: "needs_reauth",
      reason: "invalid_grant",
      description: "Google no longer permits access to this calendar. Please connect it again.",
    }),
  },
  {
    name: "off",
    status: (status) => ({ ...setting(status, { syncEnabled: false }), state: "switched_off" }),
  },
  {
    name: "by-hand",
    status: (status) => counting(setting(status, { autoSync: false }), { lessonsWaiting: 2 }),
  },
  { name: "disconnecting", status: (status) => ({ ...status, state: "disconnecting" }) },
  { name: "offline", act: (page) => page.context().setOffline(true) },
  { name: "session-ended", answer: { status: 401, json: { message: "Unauthorized" } } },
  {
    name: "no-answer",
    answer: {
      status: 503,
      json: {
        success: false,
        error: { code: "store_unavailable", message: "The store does not answer. Try again." },
      },
    },
  },
  {
    name: "disconnect",
    dialog: true,
    act: async (page) => {
      await page.locator(".title .plain").click();
      await page.locator(".menu > button").last().click();
    },
  },
  {
    name: "activity",
    act: async (page) => {
      for (const run of await page.locator(".activity details").all())
        await run.evaluate((it) => (it.open = true));
    },
  },
  {
    name: "past",
    act: async (page) => {
      await page.locator('.calendar [role="tab"]').last().click();
      await page.locator(".calendar button").first().click();
    },
  },
  { name: "details", act: (page) => page.locator(".sync-status .more summary").last().click() },
];
