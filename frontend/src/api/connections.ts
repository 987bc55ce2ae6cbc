/** The connections of a tenant, which the API shows to its administrators. */
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";

import { useApi } from "./calendar";
import { type Api, ApiError, dataOf } from "./client";
import type { components } from "./schema";

type Schemas = components["schemas"];

/** A connection in the list. */
export type ListedConnection = Schemas["ListedConnection"];
/** By what the list can be narrowed; without it all connections are shown. */
export type ConnectionFilter = Schemas["ConnectionFilter"];

/** The refresh interval of the list while the page is visible, in milliseconds. */
const REFRESH_MS = 10_000;
/** How many of them the API is asked for those that need attention, which are counted. */
const MAX_COUNTED = 100;
/** A filter may leave nothing of a page. So many are asked for before the person is asked whether to go on. */
const MAX_EMPTY_PAGES = 10;

export const LIST_KEY = ["calendar", "connections"] as const;

/** No caller becomes an administrator by waiting. */
const interval = ({ state: { error } }: { state: { error: Error | null } }): number | false =>
  error instanceof ApiError && error.code === "not_found" ? false : REFRESH_MS;

interface Page {
  connections: ListedConnection[];
  nextCursor: string | null;
}

async function pageOf(api: Api, state: ConnectionFilter | undefined, cursor: string | null): Promise<Page> {
  let page: Page = { connections: [], nextCursor: cursor };
  for (let asked = 0; asked < MAX_EMPTY_PAGES; asked += 1) {
    const query = { ...(state && { state }), ...(page.nextCursor !== null && { cursor: page.nextCursor }) };
    page = await dataOf(api.GET("/api/v1/calendar/connections", { params: { query } }));
    if (page.connections.length > 0 || page.nextCursor === null) break;
  }
  return page;
}

/** The list, page by page, kept up to date. */
export function useConnections(filter: ConnectionFilter | undefined) {
  const api = useApi();
  return useInfiniteQuery({
    queryKey: [...LIST_KEY, filter ?? "all"],
    queryFn: ({ pageParam }) => pageOf(api, filter, pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: interval,
  });
}

/** How many connections need attention, counted up to {@link MAX_COUNTED}. */
export function useAttention() {
  const api = useApi();
  const { data } = useQuery({
    queryKey: [...LIST_KEY, "count"],
    queryFn: () => {
      const query = { state: "attention", limit: MAX_COUNTED } as const;
      return dataOf(api.GET("/api/v1/calendar/connections", { params: { query } }));
    },
    refetchInterval: interval,
  });
  return data && { count: data.connections.length, more: data.nextCursor !== null };
}
