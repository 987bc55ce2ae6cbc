import { act, fireEvent, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";

import { english } from "../../words/language";
import { CalendarSyncStatus } from "./CalendarSyncStatus";
import { headline } from "./headline";
import { answers, asked, connected, ME, none, notConnected, press, show } from "./testing";

const NOW = Date.parse("2026-03-01T08:05:00.000Z");
const onlyFromGoogle = { ...connected.settings, syncDirection: "from_google" } as const;
const listing = (changes: Partial<typeof connected>) => ({
  ...connected,
  progress: {
    startedAt: connected.connectedAt,
    eventsListed: 7500,
    lessonsWaiting: 160,
    lessonsInAll: 200,
  },
  ...changes,
});
const byHand = { ...connected, settings: { ...connected.settings, autoSync: false } };

describe("the headline of a connection", () => {
  const counting = (counts: Partial<typeof none>) => ({ ...connected, counts: { ...none, ...counts } });
  it.each([
    ["is up to date", connected, "good", "Up to date"],
    [
      "has lessons that failed, whatever else is well",
      counting({ lessonsFailed: 1 }),
      "bad",
      /^1 lesson is not/,
    ],
    [
      "has more failed lessons than are counted",
      counting({ lessonsFailed: 100 }),
      "bad",
      /^100 lessons or more/,
    ],
    ["writes", counting({ lessonsWaiting: 3 }), "busy", "Writing to Google: 3 changes to go"],
    [
      "waits to be synced by hand",
      { ...byHand, counts: { ...none, lessonsWaiting: 3 } },
      "quiet",
      /^3 changes/,
    ],
    ["is synced by hand, and claims nothing of what came since", byHand, "quiet", "Synced by hand"],
    ["is synced for the first time", { ...connected, lastSyncedAt: null }, "busy", /^First sync/],
    [
      "is synced for the first time, and how far that is",
      { ...counting({ lessonsWaiting: 117 }), lastSyncedAt: null },
      "busy",
      "First sync: 117 lessons to go",
    ],
    [
      "reads a long calendar for the first time, and how far that is",
      listing({ lastSyncedAt: null }),
      "busy",
      "First sync: 7,500 events read, 40 of 200 lessons in Google",
    ],
    [
      "reads a long calendar from which nothing goes to Google",
      listing({ lastSyncedAt: null, settings: onlyFromGoogle }),
      "busy",
      /^First sync: 7,500 events read$/,
    ],
    ["reads the calendar anew", listing({}), "busy", "The calendar is read anew: 7,500 events read"],
    ["fails", { ...connected, state: "failing" } as const, "bad", "The sync is held up"],
    ["is off", { ...connected, state: "switched_off" } as const, "quiet", "Sync is off"],
    ["is withdrawn", { ...connected, state: "needs_reauth" } as const, "bad", /permission/],
    ["ends", { ...connected, state: "disconnecting" } as const, "busy", "Disconnecting …"],
    ["is none", notConnected, "quiet", "Not connected"],
  ])("says that it %s", (_, status, tone, title) => {
    expect(headline(status, english, NOW)).toMatchObject({
      tone,
      title: expect.stringMatching(title) as string,
    });
  });

  it("says that all is in Google only where it is and lessons are written there", () => {
    const all = [
      counting({ lessonsWaiting: 1 }),
      { ...connected, settings: onlyFromGoogle },
      { ...connected, lastSyncedAt: null },
      listing({ lastSyncedAt: null }),
      listing({}),
    ];
    for (const status of all) expect(headline(status, english, NOW).hint).not.toContain("all in Google");
    expect(headline(connected, english, NOW).hint).toContain("all in Google");
  });
});

describe("CalendarSyncStatus", () => {
  it("says in words how things stand, which lessons could not be synced and why", () => {
    const lesson = {
      lessonId: ME,
      eventStart: "2026-03-02T08:00:00.000Z",
      eventEnd: "2026-03-02T09:00:00.000Z",
    };
    const violin = {
      id: ME,
      title: "Violin",
      startsAt: lesson.eventStart,
      endsAt: lesson.eventEnd,
      status: "scheduled",
      hasConflict: false,
    } as const;
    const reason = "Google refused with 403 (forbidden).";
    const failures = [{ ...lesson, reason }];
    const counts = { lessonsWaiting: 1, lessonsFailed: 2, conflicts: 0, conflictsIgnored: 0 };
    const status = { ...connected, counts, failures };
    show(<CalendarSyncStatus lessons={[violin]} />, status);
    expect(screen.getByText("2 lessons are not in Google as they should be")).toBeTruthy();
    expect(screen.getByText("1 change on the way.")).toBeTruthy();
    expect(screen.getByText("Violin")).toBeTruthy();
    expect(screen.getByText(/^Google did not accept it/).closest("details")).toBeNull();
    expect(screen.getByText(reason).closest("details"), "only for support").toBeTruthy();
  });

  it("says as it is why a lesson was left alone", () => {
    const reason = "The lesson vanished together with many others.";
    const lesson = {
      lessonId: ME,
      eventStart: connected.connectedAt,
      eventEnd: connected.connectedAt,
      reason,
    };
    show(<CalendarSyncStatus />, { ...connected, failures: [lesson] });
    expect(screen.getByText(reason).closest("details")).toBeNull();
  });

  it("keeps what only support needs under its details", () => {
    show(<CalendarSyncStatus />, connected);
    expect(screen.getByText(/Known within seconds/).closest("details")).toBeTruthy();
  });

  it("lets a sync be tried while Google refuses the application", () => {
    show(<CalendarSyncStatus />, { ...connected, state: "client_refused", reason: "deleted_client" });
    expect(screen.getByText("The sync is held up")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Sync now" })).toHaveProperty("disabled", false);
  });

  it("syncs by hand and says what came of it", async () => {
    const counts = { eventsCreated: 2, eventsUpdated: 1, eventsDeleted: 0, conflictsDetected: 1 };
    answers["/api/v1/calendar/sync"] = [200, { ...counts, outcome: "completed" }];
    show(<CalendarSyncStatus />, connected);
    await press("Sync now");
    expect(
      await screen.findByText("Synced: 2 lessons added, 1 lesson updated, 1 new conflict."),
    ).toBeTruthy();
  });

  it("syncs some days or one direction alone where that is asked for", async () => {
    show(<CalendarSyncStatus />, connected);
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "2026-03-02" } });
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Direction" }), "to_google");
    await press("Sync these");
    const [startDate, endDate, direction] = ["2026-03-02", "2026-03-02", "to_google"];
    const body = { instructorId: ME, startDate, endDate, direction };
    await waitFor(() => expect(asked[0]).toEqual(["POST", "/api/v1/calendar/sync", body]));
  });

  it("offers no direction that the connection does not have", () => {
    const settings = { ...connected.settings, syncDirection: "to_google" } as const;
    show(<CalendarSyncStatus />, { ...connected, settings });
    expect(screen.queryByRole("combobox")).toBeNull();
  });

  it("says that a part is left, where one is", async () => {
    answers["/api/v1/calendar/sync"] = [200, { eventsSynced: 0, outcome: "partial" }];
    show(<CalendarSyncStatus />, connected);
    await press("Sync now");
    expect(await screen.findByText(/still to be done/)).toBeTruthy();
  });

  it("urges a sync only where it waits for the person", () => {
    const { unmount } = show(<CalendarSyncStatus />, connected);
    expect(screen.getByRole("button", { name: "Sync now" }).className).toBe("");
    unmount();
    show(<CalendarSyncStatus />, byHand);
    expect(screen.getByRole("button", { name: "Sync now" }).className).toBe("primary");
  });

  it.each(["needs_reauth", "disconnecting"] as const)("offers no sync that cannot be: %s", (state) => {
    show(<CalendarSyncStatus />, { ...connected, state });
    expect(screen.queryByRole("button", { name: "Sync now" })).toBeNull();
  });

  it("cannot sync what is switched off", () => {
    show(<CalendarSyncStatus />, { ...connected, state: "switched_off" });
    expect(screen.getByRole("button", { name: "Sync now" }).hasAttribute("disabled")).toBe(true);
  });
});

describe("a tab that nobody sees", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("asks for nothing until it is seen again", async () => {
    vi.useFakeTimers();
    const turn = (state: DocumentVisibilityState) => {
      vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
      fireEvent(window, new Event("visibilitychange"));
    };
    const wait = () => act(() => vi.advanceTimersByTimeAsync(60_000));
    show(<CalendarSyncStatus />, connected);
    turn("hidden");
    await wait();
    expect(asked).toEqual([]);
    turn("visible");
    await wait();
    expect(asked.length).toBeGreaterThan(10);
  });
});
