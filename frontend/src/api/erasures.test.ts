import { afterEach, expect, it, vi } from "vitest";

import { createApi } from "./client";
import { erase, readErasure } from "./erasures";

const api = createApi("https://api.example.com", () => "a-token");
const ID = "5c7a1e00-0000-4000-8000-0000000000a1";

afterEach(() => vi.unstubAllGlobals());

it("erases an instructor and asks how it stands", async () => {
  const fetched = vi.fn<(request: Request) => Promise<Response>>(() =>
    Promise.resolve(new Response(`{"success": true, "data": {"id": "${ID}"}}`, { status: 202 })),
  );
  vi.stubGlobal("fetch", fetched);
  expect(await erase(api, { erase: ID, confirm: ID, keepEvents: true })).toEqual({ id: ID });
  await readErasure(api, ID);
  const [begun, asked] = fetched.mock.calls.map(([request]) => request);
  expect([begun?.method, begun?.url]).toEqual(["POST", "https://api.example.com/api/v1/calendar/erase"]);
  expect(await begun?.json()).toEqual({ erase: ID, confirm: ID, keepEvents: true });
  expect([asked?.method, asked?.url]).toEqual(["GET", `https://api.example.com/api/v1/calendar/erase/${ID}`]);
});
