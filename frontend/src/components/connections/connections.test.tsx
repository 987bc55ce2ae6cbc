import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import type { ListedConnection } from "../../api/connections";
import { CalendarSettings } from "../calendar/CalendarSettings";
import { answers, asked, connected, ME, show } from "../calendar/testing";
import { CalendarConnections } from "./CalendarConnections";

const LIST = "/api/v1/calendar/connections";
const GRACE = "5c7a1e00-0000-4000-8000-0000000000a2";

const ada: ListedConnection = {
  instructorId: ME,
  connectionId: ME,
  googleAccount: "ada@example.com",
  calendarId: "primary",
  state: "active",
  reason: null,
  description: "The sync works.",
  syncing: false,
  connectedAt: "2026-03-01T08:00:00.000Z",
  lastSyncedAt: new Date(Date.now() - 125_000).toISOString(),
  nextSyncAt: null,
  failures: 0,
  push: {
    state: "healthy",
    description: "Changes in Google are known within seconds.",
    webhookExpiration: null,
  },
};
const grace: ListedConnection = {
  ...ada,
  instructorId: GRACE,
  connectionId: GRACE,
  googleAccount: "grace@example.com",
};
const names: Record<string, string> = { [ME]: "Ada Berger" };

/** Answers each page by the query that asks for it; what needs attention is asked for beside it. */
function lists(pages: Record<string, { connections: ListedConnection[]; nextCursor?: string | null }>) {
  const answer = globalThis.fetch;
  vi.stubGlobal("fetch", (request: Request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname !== LIST) return answer(request);
    asked.push([request.method, pathname + search, undefined]);
    const page = pages[search] ?? { connections: [] };
    return Promise.resolve(Response.json({ success: true, data: { nextCursor: null, ...page } }));
  });
}

const list = () =>
  show(
    <CalendarConnections
      connectUrl={(id) => `https://school.example/calendar?of=${id}`}
      instructorName={(id) => names[id]}
    />,
  );
const row = (text: string) => screen.getByText(text).closest("li") as HTMLElement;
const choose = (text: string) => userEvent.selectOptions(screen.getByRole("combobox"), text);

describe("a connection in the list", () => {
  it("shows whose it is and when it last synced", async () => {
    lists({ "": { connections: [ada, grace] } });
    list();
    await screen.findByText("Ada Berger");
    expect(within(row("Ada Berger")).getByText("ada@example.com")).toBeTruthy();
    expect(within(row("Ada Berger")).getByText("Synced 2 minutes ago")).toBeTruthy();
    expect(within(row("grace@example.com")).getByText(GRACE)).toBeTruthy();
    expect(screen.getByText("2 calendars, that is all.")).toBeTruthy();
  });

  it.each<[string, Partial<ListedConnection>, string, RegExp | null, boolean]>([
    ["works", {}, "Working", null, true],
    ["syncs", { syncing: true }, "Syncing …", null, true],
    ["syncs first", { syncing: true, lastSyncedAt: null }, "First sync under way …", null, true],
    [
      "fails",
      { state: "failing", reason: "google_unavailable", description: "Google did not answer.", failures: 4 },
      "Held up",
      /^Google did not answer\. 4 runs failed in a row\.$/,
      true,
    ],
    [
      "is tried again",
      { state: "failing", syncing: true, description: "Failed." },
      "Syncing …",
      /Failed/,
      true,
    ],
    [
      "is refused",
      { state: "client_refused", reason: "deleted_client" },
      "Refused by Google",
      /operator/,
      true,
    ],
    [
      "was withdrawn",
      { state: "needs_reauth", reason: "invalid_grant" },
      "Permission withdrawn",
      /no longer/,
      false,
    ],
    [
      "was barred",
      { state: "needs_reauth", reason: "access_denied" },
      "Permission withdrawn",
      /has to connect/,
      false,
    ],
    ["is off", { state: "switched_off" }, "Off", null, false],
    ["goes", { state: "disconnecting" }, "Disconnecting …", null, false],
    [
      "misses notices",
      { push: { ...ada.push, state: "suspect" } },
      "Notices missing",
      /checked regularly/,
      true,
    ],
  ])("that %s says so, why, and offers what helps", async (_, change, title, hint, syncs) => {
    lists({ "": { connections: [{ ...ada, ...change }] } });
    list();
    await screen.findByText("Ada Berger");
    const shown = within(row("Ada Berger"));
    expect(shown.getByText(title)).toBeTruthy();
    expect(row("Ada Berger").querySelector(".stands .hint")?.textContent ?? null).toEqual(
      hint === null ? null : (expect.stringMatching(hint) as string),
    );
    expect(shown.queryByRole("button", { name: "Sync now, Ada Berger" }) !== null).toBe(syncs);
    const goes = change.state === "disconnecting";
    expect(shown.queryByRole("button", { name: "More for Ada Berger" }) === null).toBe(goes);
  });
});

describe("the list", () => {
  it("keeps its place while it is awaited", () => {
    vi.stubGlobal("fetch", () => new Promise<Response>(() => undefined));
    const { container } = list();
    expect(container.querySelector(".skeleton.rows")).toBeTruthy();
  });

  it("asks for one state, and says where none is in it", async () => {
    lists({ "": { connections: [ada] }, "?state=switched_off": { connections: [] } });
    list();
    await screen.findByText("Ada Berger");
    await choose("Off");
    await screen.findByText("No calendar is in this state.");
    await choose("Needs attention");
    await screen.findByText("All connected calendars are in step.");
  });

  it("says how many need attention, and shows them", async () => {
    const failing = { ...ada, state: "failing" as const };
    const some = { connections: [failing, { ...grace, state: "failing" as const }] };
    lists({ "": { connections: [ada] }, "?state=attention&limit=100": some, "?state=attention": some });
    list();
    await screen.findByText("2 calendars need attention");
    await userEvent.click(screen.getByRole("button", { name: "Show" }));
    await screen.findByText("grace@example.com");
    expect(screen.queryByText("2 calendars need attention")).toBeNull();
  });

  it("goes on page by page, past those that are empty, to its end", async () => {
    lists({
      "": { connections: [ada], nextCursor: "1" },
      "?cursor=1": { connections: [], nextCursor: "2" },
      "?cursor=2": { connections: [grace] },
    });
    list();
    await screen.findByText("Ada Berger");
    expect(screen.queryByText(/that is all/)).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Show more" }));
    await screen.findByText("grace@example.com");
    await screen.findByText("2 calendars, that is all.");
    expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
  });

  it("asks before it looks further than ten pages that are empty", async () => {
    const empty = Object.fromEntries(
      Array.from({ length: 30 }, (_, page) => [
        `?state=syncing${page === 0 ? "" : `&cursor=${page}`}`,
        { connections: [], nextCursor: String(page + 1) },
      ]),
    );
    lists({ "": { connections: [ada] }, ...empty });
    list();
    await screen.findByText("Ada Berger");
    await choose("Syncing now");
    await screen.findByRole("button", { name: "Show more" });
    expect(asked.filter(([, path]) => path.includes("syncing"))).toHaveLength(10);
  });

  it.each(["berger", "ADA@", ME.slice(-6)])("finds %s among what is loaded", async (text) => {
    lists({ "": { connections: [ada, grace] } });
    list();
    await screen.findByText("Ada Berger");
    await userEvent.type(screen.getByRole("searchbox"), text);
    expect(screen.queryByText("grace@example.com")).toBeNull();
    expect(screen.getByText("Ada Berger")).toBeTruthy();
  });

  it("says where nothing matches", async () => {
    lists({ "": { connections: [ada] } });
    list();
    await screen.findByText("Ada Berger");
    await userEvent.type(screen.getByRole("searchbox"), "Zoe");
    expect(screen.getByText("No loaded calendar matches “Zoe”.")).toBeTruthy();
  });

  it("says where no calendar is connected", async () => {
    lists({});
    list();
    await screen.findByText(/No calendar is connected yet/);
  });

  it("says to others that it is not for them", async () => {
    answers[LIST] = [404, { code: "not_found", message: "There is no such instructor or connection." }];
    list();
    await screen.findByText("This list is for administrators.");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("says why there is no answer, and is asked for again", async () => {
    answers[LIST] = [503, { code: "store_unavailable", message: "Try later." }];
    list();
    await screen.findByText("Try later.");
    answers[LIST] = [200, { connections: [ada], nextCursor: null }];
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    await screen.findByText("Ada Berger");
  });
});

describe("what an administrator does for an instructor", () => {
  const shown = async (connection: ListedConnection) => {
    answers[LIST] = [200, { connections: [connection], nextCursor: null }];
    list();
    await screen.findByText("Ada Berger");
  };

  it("is a sync of that instructor, whose outcome is said", async () => {
    answers["/api/v1/calendar/sync"] = [200, { ...counts, outcome: "completed" }];
    await shown(ada);
    await userEvent.click(screen.getByRole("button", { name: "Sync now, Ada Berger" }));
    await screen.findByText("Synced: 1 lesson added.");
    expect(asked).toContainEqual(["POST", "/api/v1/calendar/sync", { instructorId: ME }]);
  });

  it("is a sync that is refused, and the row says why", async () => {
    answers["/api/v1/calendar/sync"] = [
      503,
      { code: "google_unavailable", message: "Google does not answer." },
    ];
    await shown(ada);
    await userEvent.click(screen.getByRole("button", { name: "Sync now, Ada Berger" }));
    expect(within(row("Ada Berger")).getByRole("alert").textContent).toBe("Google does not answer.");
  });

  it("is a link to send, which no login of the administrator's own stands behind", async () => {
    const user = userEvent.setup();
    await shown({ ...ada, state: "needs_reauth", reason: "invalid_grant" });
    await user.click(screen.getByRole("button", { name: "Copy reconnect link, Ada Berger" }));
    await screen.findByText("The link is copied. Send it to the instructor.");
    expect(await navigator.clipboard.readText()).toBe(`https://school.example/calendar?of=${ME}`);
    expect(asked.filter(([, path]) => path.includes("oauth"))).toEqual([]);
  });

  it("is the link itself where the browser lets nothing be copied", async () => {
    const user = userEvent.setup();
    vi.spyOn(navigator.clipboard, "writeText").mockRejectedValue(new DOMException("denied"));
    await shown({ ...ada, state: "needs_reauth", reason: "invalid_grant" });
    await user.click(screen.getByRole("button", { name: "Copy reconnect link, Ada Berger" }));
    await screen.findByText(`Send the instructor this link: https://school.example/calendar?of=${ME}`);
  });

  it("is a disconnect, once it is confirmed", async () => {
    answers["/api/v1/calendar/disconnect"] = [200, { instructorId: ME, disconnected: true }];
    await shown(ada);
    const disconnects = screen.getAllByRole("button", { name: "Disconnect", hidden: true });
    await userEvent.click(disconnects[0] as HTMLElement);
    expect(screen.getByText("Disconnect the calendar of Ada Berger?")).toBeTruthy();
    expect(asked.filter(([method]) => method === "POST")).toEqual([]);
    const body = { instructorId: ME, keepEvents: false, keepImported: false };
    await userEvent.click(disconnects[1] as HTMLElement);
    await waitFor(() => expect(asked).toContainEqual(["POST", "/api/v1/calendar/disconnect", body]));
  });

  it("is a look at when they are busy", async () => {
    answers[`/api/v1/calendar/status/${ME}`] = [
      200,
      { ...connected, connected: false, state: "not_connected" },
    ];
    await shown(ada);
    await userEvent.click(screen.getByRole("button", { name: "Show when they are busy", hidden: true }));
    expect(screen.getByRole("heading", { name: "When Ada Berger is busy", hidden: true })).toBeTruthy();
    await waitFor(() => expect(asked).toContainEqual(["GET", `/api/v1/calendar/status/${ME}`, undefined]));
  });

  it("is not to share the titles of the instructor's events", () => {
    show(<CalendarSettings settings={connected.settings} />, undefined, undefined, "administrator");
    expect(screen.getByRole("checkbox", { name: "Sync is on" })).toBeTruthy();
    expect(screen.queryByRole("checkbox", { name: /Administrators/ })).toBeNull();
  });
});

const counts = {
  eventsSynced: 1,
  eventsCreated: 1,
  eventsUpdated: 0,
  eventsDeleted: 0,
  conflictsDetected: 0,
  durationMs: 5,
};
