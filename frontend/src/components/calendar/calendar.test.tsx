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
import { CalendarConnectButton } from "./CalendarConnectButton";
import { CalendarSettings } from "./CalendarSettings";
import { CalendarSyncStatus } from "./CalendarSyncStatus";
import { onPage } from "./ExternalEventsViewer";
import { SyncHistory } from "./SyncHistory";

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
  const button = screen.getAllByRole("button", { name })[at];
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
    expect(screen.queryByRole("button", { name: "Disconnect" })).toBeNull();
    await press("Connect Google Calendar");
    await waitFor(() =>
      expect(asked).toEqual([
        ["GET", `/api/v1/calendar/oauth/url?instructorId=${ME}&replaceAccount=false`, undefined],
      ]),
    );
    expect((await screen.findByRole("alert")).textContent).toBe("There is no such instructor.");
  });

  it("offers to connect again after Google withdrew its permission", () => {
    show(<CalendarConnectButton status={{ ...connected, state: "needs_reauth" }} />);
    expect(screen.getByRole("button", { name: "Connect again" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Disconnect" })).toBeTruthy();
  });

  it("disconnects only when asked twice, and keeps what is to be kept", async () => {
    show(<CalendarConnectButton status={connected} />);
    await press("Disconnect");
    expect(asked).toEqual([]);
    await userEvent.click(screen.getByRole("checkbox", { name: /Keep the lessons' events/ }));
    await press("Disconnect", 1);
    const body = { instructorId: ME, keepEvents: true, keepImported: false };
    await waitFor(() => expect(asked).toEqual([["POST", "/api/v1/calendar/disconnect", body]]));
  });

  it("lets another account take the place of this one, when that is confirmed", async () => {
    answers["/api/v1/calendar/oauth/url"] = [503, { code: "kms_unavailable", message: "Try again." }];
    show(<CalendarConnectButton status={connected} />);
    await press("Use another account");
    expect(asked).toEqual([]);
    await press("Use another account", 1);
    const url = `/api/v1/calendar/oauth/url?instructorId=${ME}&replaceAccount=true`;
    await waitFor(() => expect(asked).toEqual([["GET", url, undefined]]));
  });
});

describe("CalendarSyncStatus", () => {
  it("says in words how things stand and what could not be synced", () => {
    const lesson = {
      lessonId: ME,
      eventStart: "2026-03-02T08:00:00.000Z",
      eventEnd: "2026-03-02T09:00:00.000Z",
    };
    const failures = [{ ...lesson, reason: "Google refused it." }];
    const counts = { lessonsWaiting: 1, lessonsFailed: 2, conflicts: 0 };
    show(<CalendarSyncStatus status={{ ...connected, state: "failing", counts, failures }} />);
    expect(screen.getByText("failing")).toBeTruthy();
    expect(screen.getByText("1 change on the way, 2 lessons could not be synced")).toBeTruthy();
    expect(screen.getByText("Google refused it.")).toBeTruthy();
    expect(screen.getByText(/Google tells of changes at once/)).toBeTruthy();
  });

  it("lets a sync be tried while Google refuses the application", () => {
    show(<CalendarSyncStatus status={{ ...connected, state: "client_refused", reason: "deleted_client" }} />);
    expect(screen.getByText("client refused")).toBeTruthy();
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

  it("says that a part is left, where one is", async () => {
    answers["/api/v1/calendar/sync"] = [200, { eventsSynced: 0, outcome: "partial" }];
    show(<CalendarSyncStatus status={connected} />);
    await press("Sync now");
    expect(await screen.findByText(/still to be done/)).toBeTruthy();
  });

  it("does not say that all is in Google where nothing is written there", () => {
    const settings = { ...connected.settings, syncDirection: "from_google" } as const;
    show(<CalendarSyncStatus status={{ ...connected, settings }} />);
    expect(screen.queryByText("All are in Google")).toBeNull();
  });

  it("cannot sync what is switched off", () => {
    show(<CalendarSyncStatus status={{ ...connected, state: "switched_off" }} />);
    expect(screen.getByRole("button", { name: "Sync now" }).hasAttribute("disabled")).toBe(true);
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
    fireEvent.click(switchOf("Follow changes by itself"));
    expect([switchOf("Sync is on").checked, switchOf("Follow changes by itself").checked]).toEqual([
      false,
      false,
    ]);
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
    expect(screen.getByRole<HTMLSelectElement>("combobox", { name: /look every/ }).value).toBe("17");
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
    expect(screen.getByText(/webhook: did not succeed/)).toBeTruthy();
  });

  it("tells why, and brings older runs on demand until there are none", async () => {
    answers[`/api/v1/calendar/status/${ME}`] = [
      200,
      { logs: [{ ...log, id: "2", trigger: "poll" }], nextCursor: null },
    ];
    show(<SyncHistory status={{ ...connected, logs: [log], nextCursor: "1" }} />);
    expect(screen.getByText("The event was put back.")).toBeTruthy();
    await press("Older runs");
    expect(await screen.findByText(/poll: 1 event updated/)).toBeTruthy();
    await waitFor(() =>
      expect(asked).toEqual([["GET", `/api/v1/calendar/status/${ME}?cursor=1`, undefined]]),
    );
    expect(screen.queryByRole("button", { name: "Older runs" })).toBeNull();
  });

  it("leaves no gap where more has come meanwhile than the status tells", async () => {
    const run = (id: string, trigger: SyncLog["trigger"]) => ({ ...log, id, trigger });
    answers[`/api/v1/calendar/status/${ME}`] = [200, { logs: [run("1", "poll")], nextCursor: null }];
    const history = (logs: SyncLog[]) => <SyncHistory status={{ ...connected, logs, nextCursor: "2" }} />;
    const { rerender } = show(history([run("2", "webhook")]));
    await press("Older runs");
    await screen.findByText(/poll: /);
    rerender(history([run("3", "lesson"), run("2", "webhook")]));
    expect(screen.getByText(/lesson: /)).toBeTruthy();
    expect(screen.getByText(/poll: /)).toBeTruthy();
    rerender(history([run("9", "manual")]));
    expect(screen.getByText(/manual: /)).toBeTruthy();
    expect(screen.queryByText(/poll: /)).toBeNull();
    expect(screen.getByRole("button", { name: "Older runs" })).toBeTruthy();
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
  const moment = { occurrenceStart: "", overlapStart: "", overlapEnd: "", foundAt: "" };
  const conflict = { lessonId: "l", googleEventId: "e", ...moment };
  const named = () => "Violin";

  it("names the lesson that it overlaps, once", () => {
    const shown = onPage({ ...event, hasConflict: true, conflicts: [conflict, conflict] }, named);
    expect(shown).toMatchObject({ title: "Dentist · overlaps Violin", color: "#b3261e" });
  });

  it("says why it does not block, and shows a private one as busy", () => {
    expect(onPage({ ...event, blocks: false, freeBecause: "working_location" }, named)).toMatchObject({
      title: "Dentist · free: working location",
      color: "#6b7487",
    });
    expect(onPage({ ...event, title: null, private: true }, named).title).toBe("Busy");
    expect(onPage({ ...event, title: null }, named).title).toBe("Untitled");
  });
});
