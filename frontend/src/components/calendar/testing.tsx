/** What the tests of components stand on: an API of canned answers, and an instructor's connection. */
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { ReactElement } from "react";
import { afterEach, beforeEach, vi } from "vitest";

import { CalendarProvider, type Connection, type Status, type Viewer } from "../../api/calendar";
import { createApi, type GetToken } from "../../api/client";

export const ME = "5c7a1e00-0000-4000-8000-0000000000a1";
const nothing = { failures: [], conflicts: [], ignoredConflicts: [], logs: [], nextCursor: null };
export const none = { lessonsWaiting: 0, lessonsFailed: 0, conflicts: 0, conflictsIgnored: 0 };

export const notConnected: Status = {
  connected: false,
  state: "not_connected",
  reason: null,
  description: "No calendar is connected.",
  counts: none,
  ...nothing,
};
export const connected: Connection = {
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
  progress: null,
  settings: {
    syncEnabled: true,
    syncDirection: "two_way",
    autoSync: true,
    syncIntervalMinutes: 15,
    shareTitles: false,
  },
  push: { state: "healthy", description: "Google tells of changes at once.", webhookExpiration: null },
};

/** The requests to the API: method, path and body. */
export const asked: [string, string, unknown][] = [];
/** The API's answers by path. */
export const answers: Record<string, [number, unknown]> = {};

beforeEach(() => {
  asked.length = 0;
  for (const path of Object.keys(answers)) Reflect.deleteProperty(answers, path);
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
  HTMLDialogElement.prototype.close = function () {
    this.open = false;
  };
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** Renders a component for the instructor `ME`, with an API that gives `answers`; with `status`, it is known already. */
export function show(
  component: ReactElement,
  status?: Status,
  getToken: GetToken = () => "token",
  viewer: Viewer = "instructor",
) {
  const calendar = { api: createApi("http://localhost", getToken), instructorId: ME, viewer };
  const queries = new QueryClient({
    defaultOptions: { queries: { retry: false, staleTime: status ? Infinity : 0 } },
  });
  if (status) {
    queries.setQueryData(["calendar", ME, "status"], status);
    answers[`/api/v1/calendar/status/${ME}`] ??= [200, status];
  }
  const rendered = render(component, {
    wrapper: ({ children }) => (
      <QueryClientProvider client={queries}>
        <CalendarProvider value={calendar}>{children}</CalendarProvider>
      </QueryClientProvider>
    ),
  });
  return { ...rendered, queries };
}

export const press = (name: string, at = 0) => {
  // jsdom opens no menus.
  const button = screen.getAllByRole("button", { name, hidden: true })[at];
  if (button === undefined) throw new Error(`there is no ${name}`);
  return userEvent.click(button);
};
