/** The types of the calendar's endpoints, and hooks for components to call them. */
import {
  skipToken,
  useMutation,
  type UseMutationOptions,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { createContext, useContext, useRef } from "react";

import { type Api, ApiError, dataOf } from "./client";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];

export type Settings = Schemas["Settings"];
export type SyncCounts = Schemas["Counts"];
/** What a run did. */
export type SyncLog = Schemas["SyncLog"];
/** That a person did something. */
export type PersonAct = Schemas["PersonAct"];
export type Act = Schemas["Act"];
export type Person = Schemas["Person"];
export type Conflict = Schemas["NextConflict"];
export type ExternalEvent = Schemas["ExternalEvent"];
/** The status of an instructor who has a calendar connected. */
export type Connection = Schemas["Status"] & Schemas["Connection"] & { connected: true };
export type Status = Connection | (Schemas["Status"] & { connected: false });

/** Who looks: the instructor, or an administrator, who may not do all that the instructor may. */
export type Viewer = "instructor" | "administrator";

/** The instructor, a client with the caller's token, and who that is. */
export interface CalendarContextValue {
  api: Api;
  instructorId: string;
  viewer: Viewer;
}

/** The same of all instructors of a tenant. */
type ProvidedValue = Omit<CalendarContextValue, "instructorId"> & { instructorId: string | undefined };

const CalendarContext = createContext<ProvidedValue | null>(null);
export const CalendarProvider = CalendarContext.Provider;

function useProvided(): ProvidedValue {
  const value = useContext(CalendarContext);
  if (value === null) throw new Error("this component stands in a CalendarSyncProvider");
  return value;
}

/** What {@link CalendarProvider} provides to what is about one instructor. */
export function useCalendar(): CalendarContextValue {
  const value = useProvided();
  if (!isOfOne(value)) throw new Error("the CalendarSyncProvider names no instructorId");
  return value;
}

const isOfOne = (value: ProvidedValue): value is CalendarContextValue => value.instructorId !== undefined;

/** The client alone, for what is about no one instructor. */
export const useApi = (): Api => useProvided().api;

/** The instructor whom the provider names, if it names one. */
export const useInstructorId = (): string | undefined => useProvided().instructorId;

/** The refresh interval of what is shown, in milliseconds, while the page is visible. */
const REFRESH_MS = 3000;
/** The same while the API does not answer as it should. */
const RETRY_MS = 15_000;

/** A refused token may be replaced at any moment, which nothing else would tell. */
const interval = ({ state: { error } }: { state: { error: Error | null } }): number =>
  error === null || (error instanceof ApiError && error.code === "http_401") ? REFRESH_MS : RETRY_MS;

/** Connection, settings, conflicts and the last runs. */
export function useStatus() {
  const { api, instructorId } = useCalendar();
  return useQuery({
    queryKey: ["calendar", instructorId, "status"],
    queryFn: async () => {
      const path = { instructorId };
      return (await dataOf(
        api.GET("/api/v1/calendar/status/{instructorId}", { params: { path } }),
      )) as Status;
    },
    refetchInterval: interval,
  });
}

/** The connection as the API last told of it, `undefined` until it has: for a host's own page. */
export const useCalendarStatus = (): Status | undefined => useStatus().data;

/** Older log rows than those of the status: a page, from its cursor on. */
export async function olderLogs({ api, instructorId }: CalendarContextValue, cursor: string) {
  const params = { path: { instructorId }, query: { cursor } };
  const { logs, nextCursor } = await dataOf(api.GET("/api/v1/calendar/status/{instructorId}", { params }));
  return { logs, nextCursor };
}

interface Range {
  from: Date;
  to: Date;
}

/** What was imported, from all pages, and the moment before which it is not kept. */
interface ExternalEvents {
  events: ExternalEvent[];
  availableFrom: string;
}

/** The imported events in a range. */
async function externalEvents(
  { api, instructorId }: CalendarContextValue,
  { from, to }: Range,
  conflictsOnly: boolean,
): Promise<ExternalEvents> {
  const asked = {
    from: from.toISOString(),
    to: to.toISOString(),
    conflictsOnly: conflictsOnly ? "true" : "false",
  } as const;
  const events: ExternalEvent[] = [];
  let availableFrom: string;
  let cursor: string | null = null;
  do {
    const query = { ...asked, ...(cursor && { cursor }) };
    const params = { path: { instructorId }, query };
    const page: ExternalEvents & { nextCursor: string | null } = await dataOf(
      api.GET("/api/v1/calendar/external-events/{instructorId}", { params }),
    );
    events.push(...page.events);
    ({ availableFrom, nextCursor: cursor } = page);
  } while (cursor !== null);
  return { events, availableFrom };
}

/** The imported events in a range, kept up to date. */
export function useExternalEvents(range: Range | null, conflictsOnly: boolean) {
  const context = useCalendar();
  return useQuery({
    queryKey: ["calendar", context.instructorId, "external-events", range, conflictsOnly],
    queryFn: range === null ? skipToken : () => externalEvents(context, range, conflictsOnly),
    placeholderData: (before) => before,
    refetchInterval: interval,
  });
}

/** A call that changes something, after which everything shown is refreshed. While it is under way, asking again waits for
 * the same answer: a double click sends once. */
function useChange<Input, Output>(
  change: (context: CalendarContextValue, input: Input) => Promise<Output>,
  options: Pick<UseMutationOptions, "scope"> = {},
) {
  const context = useCalendar();
  const queries = useQueryClient();
  const underWay = useRef<Promise<Output> | null>(null);
  return useMutation({
    mutationFn: (input: Input) =>
      (underWay.current ??= change(context, input).finally(() => {
        underWay.current = null;
      })),
    ...options,
    // The status first: the other queries depend on it.
    onSettled: async () => {
      const status = ["calendar", context.instructorId, "status"];
      await queries.invalidateQueries({ queryKey: status });
      const isOther = ({ queryKey }: { queryKey: readonly unknown[] }) => queryKey[2] !== "status";
      await queries.invalidateQueries({ queryKey: status.slice(0, 2), predicate: isOther });
      await queries.invalidateQueries({ queryKey: ["calendar", "connections"] });
    },
  });
}

/** What the API takes as a path to come back to. */
const RETURN_PATH = /^\/(?!\/)[A-Za-z0-9/\-_.~?=&%]{0,511}$/;

/** The browser comes back to where the login was begun. */
function comingBack() {
  const returnPath = window.location.pathname + window.location.search;
  return RETURN_PATH.test(returnPath) ? { returnPath } : {};
}

/** Begins a login and goes to Google's consent screen. With `replaceAccount` another account may replace the connected
 * one. */
export const useConnect = () =>
  useChange(async ({ api, instructorId }, replaceAccount: boolean) => {
    const query = { instructorId, replaceAccount, ...comingBack() };
    const { authUrl } = await dataOf(api.GET("/api/v1/calendar/oauth/url", { params: { query } }));
    window.location.assign(authUrl);
    await comeBack();
  });

/** Until the browser is back on a page that it left: until then a login is under way. */
const comeBack = () =>
  new Promise<void>((resolve) => window.addEventListener("pageshow", () => resolve(), { once: true }));

/** Finishes a login whose cookie the browser did not send. */
export const useFinishLogin = () =>
  useChange(({ api }, body: { state: string; code: string }) =>
    dataOf(api.POST("/api/v1/calendar/oauth/callback", { body })),
  );

type SyncAnswer = (SyncCounts & { outcome: "completed" | "partial" }) | { outcome: "running" };

type SyncRequest = NonNullable<
  paths["/api/v1/calendar/sync"]["post"]["requestBody"]
>["content"]["application/json"];

/** What a sync is bounded to: days of the calendar, both included, and a direction. */
export type SyncBounds = Omit<SyncRequest, "instructorId">;

/** Syncs now, everything or what is asked for, and retries what was given up. */
export const useSyncNow = () =>
  useChange<SyncBounds, SyncAnswer>(({ api, instructorId }, bounds) =>
    dataOf(api.POST("/api/v1/calendar/sync", { body: { instructorId, ...bounds } })),
  );

/** Changes settings, one request at a time, so that the last change of a setting counts. */
export const useChangeSettings = () =>
  useChange(
    ({ api, instructorId }, settings: Partial<Settings>) =>
      dataOf(api.PATCH("/api/v1/calendar/settings", { body: { instructorId, ...settings } })),
    { scope: { id: "settings" } },
  );

/** Says of a conflict that it is fine, or takes that back. */
export const useDecideConflict = (conflictId: string) =>
  useChange(({ api, instructorId }, state: Conflict["state"]) => {
    const path = { instructorId, conflictId };
    return dataOf(
      api.PATCH("/api/v1/calendar/conflicts/{instructorId}/{conflictId}", {
        params: { path },
        body: { state },
      }),
    );
  });

/** Takes the connection down. */
export const useDisconnect = () =>
  useChange(({ api, instructorId }, keep: { keepEvents: boolean; keepImported: boolean }) =>
    dataOf(api.POST("/api/v1/calendar/disconnect", { body: { instructorId, ...keep } })),
  );
