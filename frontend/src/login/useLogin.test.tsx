import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, renderHook, waitFor } from "@testing-library/react";
import { StrictMode } from "react";
import { afterEach, expect, it, vi } from "vitest";

import { CalendarProvider } from "../api/calendar";
import { createApi } from "../api/client";
import type { LoginOutcome } from "./outcome";
import { useLogin } from "./useLogin";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function login(broughtAlong: LoginOutcome | null, answer: Response | Promise<Response>) {
  const fetched = vi.fn<(request: Request) => Promise<Response>>(async () => answer);
  vi.stubGlobal("fetch", fetched);
  const calendar = {
    api: createApi("http://localhost", () => "token"),
    instructorId: "me",
    viewer: "instructor" as const,
  };
  const { result } = renderHook(() => useLogin(broughtAlong), {
    wrapper: ({ children }) => (
      <StrictMode>
        <QueryClientProvider client={new QueryClient()}>
          <CalendarProvider value={calendar}>{children}</CalendarProvider>
        </QueryClientProvider>
      </StrictMode>
    ),
  });
  return { result, fetched };
}

const finish: LoginOutcome = { kind: "finish", state: "a-state", code: "a-code" };

it("finishes a login whose cookie did not travel, once", async () => {
  const { result, fetched } = login(finish, Response.json({ success: true, data: { syncEnabled: true } }));
  await waitFor(() => expect(result.current).toEqual({ kind: "connected" }));
  expect(fetched).toHaveBeenCalledTimes(1);
  expect(await fetched.mock.calls[0]?.[0].json()).toEqual({ state: "a-state", code: "a-code" });
});

it("says why it could not be finished, so that another account can be let in", async () => {
  const error = { code: "other_account", message: "Another Google account is connected." };
  const { result } = login(finish, Response.json({ success: false, error }, { status: 409 }));
  await waitFor(() => expect(result.current).toEqual({ kind: "error", code: "other_account" }));
});

it("says so where the answer is lost: the calendar may be connected all the same", async () => {
  const { result } = login(finish, Promise.reject(new TypeError("network")));
  await waitFor(() => expect(result.current).toEqual({ kind: "error", code: "unreachable" }));
});

it("leaves a login alone that has ended", () => {
  const { result, fetched } = login({ kind: "connected" }, Response.error());
  expect(result.current).toEqual({ kind: "connected" });
  expect(fetched).not.toHaveBeenCalled();
});
