import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactElement } from "react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import {
  CalendarProvider,
  type Connection,
  type ExternalEvent,
  type Status,
  type SyncLog,
} from "../../api/calendar";
import { createApi } from "../../api/client";
import { languageOf, LanguageProvider } from "../../words/language";
import { CalendarConnectButton } from "./CalendarConnectButton";
import { CalendarSettings } from "./CalendarSettings";
import { CalendarSyncStatus } from "./CalendarSyncStatus";
import { byLesson, ConflictList } from "./ConflictList";
import { ConnectionBanner } from "./ConnectionBanner";
import { ConnectionMenu } from "./ConnectionMenu";
import { type Entry, firstDayOfWeek, ofEvent, ofLesson } from "./entries";
import { facts } from "./EntryDetails";
import { headline } from "./headline";
import type { CalendarLesson } from "./lessons";
import { SyncHistory, withTitles } from "./SyncHistory";

const english = languageOf(["en-US"]);

const ME = "5c7a1e00-0000-4000-8000-0000000000a1";
const nothing = { failures: [], conflicts: [], logs: [], nextCursor: null };
const none = { lessonsWaiting: 0, lessonsFailed: 0, conflicts: 0 };

const notConnected: Status = {
  connected: false,
  state: "not_connected",
  reason: null,
  description: "No calendar is connected.",
  counts: none,
  ...nothing,
};
const connected: Connection = {
  ...notConnected,
  connected: true,
  state: "active",
  description: "All is well.",
  connectionId: ME,
  googleAccount: "ada@example.com",
  calendarId: "primary",
  timeZone: "Europe/Berlin",
  grantedScopes: [],
  connectedAt: "2026-03-01T08:00:00.000Z",
  lastSyncedAt: "2026-03-01T08:00:00.000Z",
  nextSyncAt: null,
  settings: { syncEnabled: true, syncDirection: "two_way", autoSync: true, syncIntervalMinutes: 15 },
  push: { state: "healthy", description: "Google tells of changes at once.", webhookExpiration: null },
};

/** The requests to the API: method, path and body. */
let asked: [string, string, unknown][] = [];
/** The API's answers by path. */
let answers: Record<string, [number, unknown]> = {};

beforeEach(() => {
  asked = [];
  answers = {};
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname, search } = new URL(request.url);
    asked.push([request.method, pathname + search, request.body ? await request.json() : undefined]);
    const [status, data] = answers[pathname] ?? [200, {}];
    return Response.json(status < 300 ? { success: true, data } : { success: false, error: data }, {
      status,
    });
  });
  // jsdom shows no dialogs.
  HTMLDialogElement.prototype.showModal = function () {
    this.open = true;
  };
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(component: ReactElement) {
  const calendar = { api: createApi("http://localhost", () => "token"), instructorId: ME };
  const queries = new QueryClient();
  return render(component, {
    wrapper: ({ children }) => (
      <QueryClientProvider client={queries}>
        <CalendarProvider value={calendar}>{children}</CalendarProvider>
      </QueryClientProvider>
    ),
  });
}

const press = (name: string, at = 0) => {
  // jsdom opens no menus.
  const button = screen.getAllByRole("button", { name, hidden: true })[at];
  if (button === undefined) throw new Error(`there is no ${name}`);
  return userEvent.click(button);
};

describe("CalendarConnectButton", () => {
  it("offers to connect where nothing is connected, and only that", async () => {
    answers["/api/v1/calendar/oauth/url"] = [
      404,
      { code: "not_found", message: "There is no such instructor." },
    ];
    show(<CalendarConnectButton status={notConnected} />);
    await press("Connect Google Calendar");
    await waitFor(() =>
      expect(asked).toEqual([
        [
          "GET",
          `/api/v1/calendar/oauth/url?instructorId=${ME}&replaceAccount=false&returnPath=%2F`,
          undefined,
        ],
      ]),
    );
    expect((await screen.findByRole("alert")).textContent).toBe("There is no such instructor.");
  });

  it("offers to connect again after Google withdrew its permission", () => {
    show(<CalendarConnectButton status={{ ...connected, state: "needs_reauth" }} />);
    expect(screen.getByRole("button", { name: "Connect again" })).toBeTruthy();
  });

  it("offers nothing where all is connected", () => {
    show(<CalendarConnectButton status={connected} />);
    expect(screen.queryByRole("button")).toBeNull();
  });
});

describe("ConnectionMenu", () => {
  it("disconnects only when asked twice, and keeps what is to be kept", async () => {
    show(<ConnectionMenu connection={connected} />);
    await press("Disconnect");
    expect(asked).toEqual([]);
    await userEvent.click(screen.getByRole("checkbox", { name: /Keep the lessons' events/, hidden: true }));
    await press("Disconnect", 1);
    const body = { instructorId: ME, keepEvents: true, keepImported: false };
    await waitFor(() => expect(asked).toEqual([["POST", "/api/v1/calendar/disconnect", body]]));
  });

  it("lets another account take the place of this one, when that is confirmed", async () => {
    answers["/api/v1/calendar/oauth/url"] = [503, { code: "kms_unavailable", message: "Try again." }];
    show(<ConnectionMenu connection={connected} />);
    await press("Use another account");
    expect(asked).toEqual([]);
    await press("Use another account", 1);
    const url = `/api/v1/calendar/oauth/url?instructorId=${ME}&replaceAccount=true&returnPath=%2F`;
    await waitFor(() => expect(asked).toEqual([["GET", url, undefined]]));
  });
});

describe("CalendarSyncStatus", () => {
  it("says in words how things stand, which lessons could not be synced and why", () => {
    const lesson = {
      lessonId: ME,
      eventStart: "2026-03-02T08:00:00.000Z",
      eventEnd: "2026-03-02T09:00:00.000Z",
    };
    const failures = [{ ...lesson, reason: "Google refused it." }];
    const counts = { lessonsWaiting: 1, lessonsFailed: 2, conflicts: 0 };
    const status = { ...connected, counts, failures };
    show(<CalendarSyncStatus status={status} lessonTitle={(id) => (id === ME ? "Violin" : undefined)} />);
    expect(screen.getByText("2 lessons could not be put into Google")).toBeTruthy();
    expect(screen.getByText("1 change on the way.")).toBeTruthy();
    expect(screen.getByText("Violin")).toBeTruthy();
    expect(screen.getByText("Google refused it.")).toBeTruthy();
  });

  it("keeps what only support needs under its details", () => {
    show(<CalendarSyncStatus status={connected} />);
    expect(screen.getByText(/Google tells of changes at once/).closest("details")).toBeTruthy();
  });

  it("lets a sync be tried while Google refuses the application", () => {
    show(<CalendarSyncStatus status={{ ...connected, state: "client_refused", reason: "deleted_client" }} />);
    expect(screen.getByText("The sync is held up")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Sync now" })).toHaveProperty("disabled", false);
  });

  it("syncs by hand and says what came of it", async () => {
    const counts = { eventsCreated: 2, eventsUpdated: 1, eventsDeleted: 0, conflictsDetected: 1 };
    answers["/api/v1/calendar/sync"] = [200, { ...counts, outcome: "completed" }];
    show(<CalendarSyncStatus status={connected} />);
    await press("Sync now");
    expect(
      await screen.findByText("Synced: 2 events created, 1 event updated, 1 new conflict."),
    ).toBeTruthy();
  });

  it("syncs some days or one direction alone where that is asked for", async () => {
    show(<CalendarSyncStatus status={connected} />);
    fireEvent.change(screen.getByLabelText("From"), { target: { value: "2026-03-02" } });
    await userEvent.selectOptions(screen.getByRole("combobox", { name: "Direction" }), "to_google");
    await press("Sync these");
    const [startDate, endDate, direction] = ["2026-03-02", "2026-03-02", "to_google"];
    const body = { instructorId: ME, startDate, endDate, direction };
    await waitFor(() => expect(asked).toEqual([["POST", "/api/v1/calendar/sync", body]]));
  });

  it("offers no direction that the connection does not have", () => {
    const settings = { ...connected.settings, syncDirection: "to_google" } as const;
    show(<CalendarSyncStatus status={{ ...connected, settings }} />);
    expect(screen.queryByRole("combobox")).toBeNull();
  });

  it("says that a part is left, where one is", async () => {
    answers["/api/v1/calendar/sync"] = [200, { eventsSynced: 0, outcome: "partial" }];
    show(<CalendarSyncStatus status={connected} />);
    await press("Sync now");
    expect(await screen.findByText(/still to be done/)).toBeTruthy();
  });

  it("cannot sync what is switched off", () => {
    show(<CalendarSyncStatus status={{ ...connected, state: "switched_off" }} />);
    expect(screen.getByRole("button", { name: "Sync now" }).hasAttribute("disabled")).toBe(true);
  });
});

describe("the headline of a connection", () => {
  const counting = (counts: Partial<typeof none>) => ({ ...connected, counts: { ...none, ...counts } });
  it.each([
    ["is up to date", connected, "good", "Up to date"],
    [
      "has lessons that failed, whatever else is well",
      counting({ lessonsFailed: 1 }),
      "bad",
      /^1 lesson could/,
    ],
    [
      "has more failed lessons than are counted",
      counting({ lessonsFailed: 100 }),
      "bad",
      /^100 lessons or more/,
    ],
    ["writes", counting({ lessonsWaiting: 3 }), "busy", "Writing to Google: 3 changes to go"],
    ["reads for the first time", { ...connected, lastSyncedAt: null }, "busy", /first time/],
    ["fails", { ...connected, state: "failing" } as const, "bad", "The sync is held up"],
    ["is off", { ...connected, state: "switched_off" } as const, "quiet", "Sync is off"],
    ["is withdrawn", { ...connected, state: "needs_reauth" } as const, "bad", /permission/],
    ["ends", { ...connected, state: "disconnecting" } as const, "busy", "Disconnecting …"],
    ["is none", notConnected, "quiet", "Not connected"],
  ])("says that it %s", (_, status, tone, title) => {
    expect(headline(status, english)).toMatchObject({ tone, title: expect.stringMatching(title) as string });
  });

  it("says that all is in Google only where it is and lessons are written there", () => {
    const settings = { ...connected.settings, syncDirection: "from_google" } as const;
    const all = [
      counting({ lessonsWaiting: 1 }),
      { ...connected, settings },
      { ...connected, lastSyncedAt: null },
    ];
    for (const status of all) expect(headline(status, english).hint).not.toContain("All lessons");
    expect(headline(connected, english).hint).toContain("All lessons are in Google");
  });
});

describe("ConnectionBanner", () => {
  it("offers the one thing to do where Google wants its permission again, and is silent else", async () => {
    const path = `/api/v1/calendar/status/${ME}`;
    answers[path] = [200, connected];
    const { unmount } = show(<ConnectionBanner />);
    await waitFor(() => expect(asked).toHaveLength(1));
    expect(screen.queryByRole("alert")).toBeNull();
    unmount();
    answers[path] = [200, { ...connected, state: "needs_reauth" }];
    answers["/api/v1/calendar/oauth/url"] = [503, { code: "kms_unavailable", message: "Try again." }];
    show(<ConnectionBanner />);
    await screen.findByText(/Google needs your permission again/);
    await press("Connect again");
    expect(await screen.findByText("Try again.")).toBeTruthy();
  });
});

describe("CalendarSettings", () => {
  it("changes one switch and leaves the others alone", async () => {
    show(<CalendarSettings settings={connected.settings} />);
    await userEvent.selectOptions(screen.getByRole("combobox", { name: /Direction/ }), "to_google");
    await waitFor(() =>
      expect(asked).toEqual([
        ["PATCH", "/api/v1/calendar/settings", { instructorId: ME, syncDirection: "to_google" }],
      ]),
    );
  });

  it("shows a switch as turned at once, and both of two that are turned in a row", async () => {
    show(<CalendarSettings settings={connected.settings} />);
    const switchOf = (name: string) => screen.getByRole<HTMLInputElement>("checkbox", { name });
    fireEvent.click(switchOf("Sync is on"));
    expect(switchOf("Sync is on").checked).toBe(false);
    fireEvent.click(switchOf("Sync automatically"));
    expect([switchOf("Sync is on").checked, switchOf("Sync automatically").checked]).toEqual([false, false]);
    await waitFor(() =>
      expect(asked.map(([, , body]) => body)).toEqual([
        { instructorId: ME, syncEnabled: false },
        { instructorId: ME, autoSync: false },
      ]),
    );
  });

  it("turns a switch back only after it was turned, for the later turn must stand", async () => {
    let answer = () => {};
    const answered = new Promise<void>((resolve) => (answer = resolve));
    const bodies: unknown[] = [];
    vi.stubGlobal("fetch", async (request: Request) => {
      bodies.push(await request.json());
      await answered;
      return Response.json({ success: true, data: {} });
    });
    show(<CalendarSettings settings={connected.settings} />);
    const isOn = screen.getByRole<HTMLInputElement>("checkbox", { name: "Sync is on" });
    fireEvent.click(isOn);
    fireEvent.click(isOn);
    expect(isOn.checked).toBe(true);
    const [off, on] = [false, true].map((syncEnabled) => ({ instructorId: ME, syncEnabled }));
    await waitFor(() => expect(bodies).toEqual([off]));
    answer();
    await waitFor(() => expect(bodies).toEqual([off, on]));
  });

  it("shows a switch as it was when turning it failed", async () => {
    answers["/api/v1/calendar/settings"] = [503, { code: "store_unavailable", message: "Try again." }];
    show(<CalendarSettings settings={connected.settings} />);
    fireEvent.click(screen.getByRole("checkbox", { name: "Sync is on" }));
    expect((await screen.findByRole("alert")).textContent).toBe("Try again.");
    await waitFor(() =>
      expect(screen.getByRole<HTMLInputElement>("checkbox", { name: "Sync is on" }).checked).toBe(true),
    );
  });

  it("shows an interval that no one of its own is", () => {
    show(<CalendarSettings settings={{ ...connected.settings, syncIntervalMinutes: 17 }} />);
    expect(screen.getByRole<HTMLSelectElement>("combobox", { name: /Check Google/ }).value).toBe("17");
  });
});

describe("SyncHistory", () => {
  const log: SyncLog = {
    id: "1",
    trigger: "webhook",
    direction: "two_way",
    startedAt: "2026-03-01T08:00:00.000Z",
    durationMs: 80,
    googleCalls: 1,
    outcome: "completed",
    reasons: ["The event was put back."],
    eventsSynced: 1,
    eventsCreated: 0,
    eventsUpdated: 1,
    eventsDeleted: 0,
    conflictsDetected: 0,
  };

  it("does not tell of a failed run as if nothing had been to do", () => {
    const failed = { ...log, outcome: "failed", eventsUpdated: 0 } as const;
    show(<SyncHistory status={{ ...connected, logs: [failed] }} />);
    expect(screen.getByText(/Something changed in Google: did not succeed/)).toBeTruthy();
  });

  it("tells why, and brings older runs on demand until there are none", async () => {
    answers[`/api/v1/calendar/status/${ME}`] = [
      200,
      { logs: [{ ...log, id: "2", trigger: "poll" }], nextCursor: null },
    ];
    show(<SyncHistory status={{ ...connected, logs: [log], nextCursor: "1" }} />);
    expect(screen.getByText("The event was put back.")).toBeTruthy();
    await press("Show earlier activity");
    expect(await screen.findByText(/Google was checked: 1 event updated/)).toBeTruthy();
    await waitFor(() =>
      expect(asked).toEqual([["GET", `/api/v1/calendar/status/${ME}?cursor=1`, undefined]]),
    );
    expect(screen.queryByRole("button", { name: "Show earlier activity" })).toBeNull();
  });

  it("leaves no gap where more has come meanwhile than the status tells", async () => {
    const run = (id: string, trigger: SyncLog["trigger"]) => ({ ...log, id, trigger });
    answers[`/api/v1/calendar/status/${ME}`] = [200, { logs: [run("1", "poll")], nextCursor: null }];
    const history = (logs: SyncLog[]) => <SyncHistory status={{ ...connected, logs, nextCursor: "2" }} />;
    const { rerender } = show(history([run("2", "webhook")]));
    await press("Show earlier activity");
    await screen.findByText(/Google was checked: /);
    rerender(history([run("3", "lesson"), run("2", "webhook")]));
    expect(screen.getByText(/Lessons changed: /)).toBeTruthy();
    expect(screen.getByText(/Google was checked: /)).toBeTruthy();
    rerender(history([run("9", "manual")]));
    expect(screen.getByText(/Synced by hand: /)).toBeTruthy();
    expect(screen.queryByText(/Google was checked: /)).toBeNull();
    expect(screen.getByRole("button", { name: "Show earlier activity" })).toBeTruthy();
  });
});

describe("an event of Google on the page", () => {
  const event: ExternalEvent = {
    googleEventId: "e",
    calendarId: "primary",
    title: "Dentist",
    location: null,
    eventStart: "2026-03-02T08:00:00.000Z",
    eventEnd: "2026-03-02T09:00:00.000Z",
    allDayEvent: false,
    eventStatus: "confirmed",
    recurring: false,
    private: false,
    blocks: true,
    freeBecause: null,
    hasConflict: false,
    conflicts: [],
  };
  const lesson: CalendarLesson = {
    id: "l",
    title: "Violin",
    startsAt: "2026-03-02T08:30:00.000Z",
    endsAt: "2026-03-02T09:30:00.000Z",
    status: "scheduled",
    hasConflict: true,
  };
  const conflict = {
    lessonId: "l",
    googleEventId: "e",
    occurrenceStart: event.eventStart,
    overlapStart: lesson.startsAt,
    overlapEnd: event.eventEnd,
    foundAt: "",
  };
  const overlapping = { ...event, hasConflict: true, conflicts: [conflict] };
  const told = (entry: Entry) => facts(entry, "Europe/Berlin", () => "Violin", english).join(" ");

  it("is told apart from a lesson, and marked like it where they overlap", () => {
    expect(ofLesson(lesson)).toMatchObject({ title: "Violin", className: "entry lesson overlaps" });
    expect(ofEvent(overlapping, english.words)).toMatchObject({
      title: "Dentist",
      className: "entry busy overlaps",
    });
    expect(ofEvent({ ...event, blocks: false }, english.words).className).toBe("entry free");
  });

  it("shows as busy where it is private, and says where it has no title", () => {
    expect(ofEvent({ ...event, title: null, private: true }, english.words).title).toBe("Busy");
    expect(ofEvent({ ...event, title: null }, english.words).title).toBe("(No title)");
  });

  it("opens to what is known of it", () => {
    expect(told({ kind: "event", event: overlapping })).toContain("It overlaps Violin for 30 min.");
    const free = { ...event, freeBecause: "working_location", recurring: true, location: "Office" } as const;
    expect(told({ kind: "event", event: free })).toMatch(
      /Office.*repeats.*no time busy: it is a working location/,
    );
    const [eventStart, eventEnd] = ["2026-03-01T23:00:00.000Z", "2026-03-03T23:00:00.000Z"];
    const holiday = { ...event, allDayEvent: true, eventStart, eventEnd };
    expect(told({ kind: "event", event: holiday })).toMatch(/Mar 2\s–\sTue, Mar 3\./);
    expect(told({ kind: "lesson", lesson })).toContain("It overlaps something in Google.");
  });

  it("stands under the lesson that it overlaps, in the order of time, by its title", async () => {
    const later = { ...conflict, occurrenceStart: "x", overlapStart: "2026-03-02T09:10:00.000Z" };
    expect(byLesson([later, conflict, { ...conflict, lessonId: "m" }])).toEqual([
      ["l", [conflict, later]],
      ["m", [{ ...conflict, lessonId: "m" }]],
    ]);
    const path = `/api/v1/calendar/external-events/${ME}`;
    answers[path] = [200, { events: [overlapping], nextCursor: null }];
    show(<ConflictList conflicts={[conflict]} timeZone="Europe/Berlin" lessons={[lesson]} />);
    expect(await screen.findByText("Dentist")).toBeTruthy();
    expect(screen.getByText("Violin")).toBeTruthy();
    expect(screen.getByText(/30 min in common/)).toBeTruthy();
  });
});

describe("the language of the page", () => {
  it("is the first of the viewer's that it speaks", () => {
    const tagOf = (...tags: string[]) => languageOf(tags).tag;
    expect([tagOf("fr", "de-AT", "en"), tagOf("en-GB"), tagOf("fr"), tagOf()]).toEqual([
      "de-AT",
      "en-GB",
      "en",
      "en",
    ]);
  });

  it("says all of it in German, what the API says by a code too", () => {
    const status = { ...connected, state: "failing", reason: "google_unavailable" } as const;
    show(
      <LanguageProvider value={languageOf(["de-DE"])}>
        <CalendarSyncStatus status={status} />
      </LanguageProvider>,
    );
    expect(screen.getByText("Die Synchronisation stockt")).toBeTruthy();
    expect(screen.getByText(/Google antwortet gerade nicht/)).toBeTruthy();
    expect(screen.getByRole("button", { name: "Jetzt synchronisieren" })).toBeTruthy();
  });
});

describe("words and times", () => {
  it("name lessons by their titles where sentences carry ids", () => {
    const sentence = `Lesson ${ME} was written.`;
    expect(withTitles(sentence, () => "Violin")).toBe("Lesson “Violin” was written.");
    expect(withTitles(sentence, () => undefined)).toBe(sentence);
  });

  it("begin the week where the viewer does", () => {
    expect([1, 0]).toContain(firstDayOfWeek("en-US"));
    expect(firstDayOfWeek("de-DE")).toBe(1);
  });

  it("say how long ago, to the largest unit", () => {
    const now = Date.parse("2026-03-02T12:00:00Z");
    expect(english.format.ago("2026-03-02T11:59:30Z", now)).toBe("just now");
    expect(english.format.ago("2026-03-02T11:58:00Z", now)).toBe("2 minutes ago");
    expect(english.format.ago("2026-03-01T11:00:00Z", now)).toBe("yesterday");
  });

  it("say how long, in hours and minutes", () => {
    const until = (to: string) => english.format.duration("2026-03-02T08:00:00Z", to);
    expect(["2026-03-02T08:30:00Z", "2026-03-02T09:00:00Z", "2026-03-02T09:15:00Z"].map(until)).toEqual([
      "30 min",
      "1 hr",
      "1 hr 15 min",
    ]);
  });
});
