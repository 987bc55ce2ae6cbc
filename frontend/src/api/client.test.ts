import { afterEach, describe, expect, it, vi } from "vitest";

import { ApiError, createApi, dataOf } from "./client";

const api = createApi("https://api.example.com", () => "a-token");
const path = "/api/v1/calendar/status/{instructorId}";
const status = () => dataOf(api.GET(path, { params: { path: { instructorId: "1/2" } } }));

function answering(code: number, body: string) {
  const fetched = vi.fn<(request: Request) => Promise<Response>>(() =>
    Promise.resolve(new Response(body, { status: code })),
  );
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

const refused = async () => {
  const error: unknown = await status().catch((error: unknown) => error);
  expect(error).toBeInstanceOf(ApiError);
  return error as ApiError;
};

afterEach(() => vi.unstubAllGlobals());

describe("a call of the API", () => {
  it("carries the caller's token and the browser's cookies, and answers the data", async () => {
    const fetched = answering(200, `{"success": true, "data": {"state": "active"}}`);
    expect(await status()).toEqual({ state: "active" });
    const request = fetched.mock.calls[0]?.[0];
    expect(request?.url).toBe("https://api.example.com/api/v1/calendar/status/1%2F2");
    expect(request?.headers.get("authorization")).toBe("Bearer a-token");
    expect(request?.credentials).toBe("include");
  });

  it("has its body also where the browser does not show that a request has one", async () => {
    const fetched = answering(200, `{"success": true, "data": {}}`);
    vi.stubGlobal(
      "Request",
      class extends Request {
        override get body() {
          return null;
        }
      },
    );
    const mine = createApi("https://api.example.com", () => "a-token");
    await mine.PATCH("/api/v1/calendar/settings", { body: { instructorId: "1", autoSync: false } });
    expect(await fetched.mock.calls[0]?.[0].text()).toBe(`{"instructorId":"1","autoSync":false}`);
  });

  it("says what the API says is wrong, with the field", async () => {
    const details = [{ field: "endDate", message: "lies before `startDate`" }];
    const error = { code: "invalid_request", message: "`endDate` lies before `startDate`", details };
    answering(400, JSON.stringify({ success: false, error }));
    expect(await refused()).toMatchObject(error);
  });

  it("understands API Gateway's own refusals, and what a proxy answers", async () => {
    answering(401, `{"message": "Unauthorized"}`);
    expect(await refused()).toMatchObject({ code: "http_401", message: "Unauthorized" });
    answering(502, "<html>Bad gateway</html>");
    expect(await refused()).toMatchObject({ code: "http_502", message: "The server answered 502." });
  });

  it("says which answer it has, and is not sent that again", async () => {
    const mine = createApi("https://api.example.com", () => "a-token");
    const status = () => dataOf(mine.GET(path, { params: { path: { instructorId: "1" } } }));
    const body = `{"success": true, "data": {"state": "active"}}`;
    const asked: (string | null)[] = [];
    let tag = `"first"`;
    vi.stubGlobal("fetch", (request: Request) => {
      asked.push(request.headers.get("if-none-match"));
      const same = asked.at(-1) === tag;
      const answer = new Response(same ? null : body, { status: same ? 304 : 200, headers: { etag: tag } });
      return Promise.resolve(answer);
    });
    for (let time = 0; time < 3; time += 1) expect(await status()).toEqual({ state: "active" });
    tag = `"second"`;
    for (let time = 0; time < 2; time += 1) expect(await status()).toEqual({ state: "active" });
    expect(asked).toEqual([null, `"first"`, `"first"`, `"first"`, `"second"`]);
  });

  it("has an answer that it forgot while it asked whether it is still right", async () => {
    const mine = createApi("https://api.example.com", () => "a-token");
    const ask = (instructorId: string) => dataOf(mine.GET(path, { params: { path: { instructorId } } }));
    let release: () => void = () => undefined;
    const hold = new Promise<void>((resolve) => (release = resolve));
    vi.stubGlobal("fetch", async (request: Request) => {
      const known = request.headers.has("if-none-match");
      if (known) await hold;
      const body = known ? null : `{"success": true, "data": {"state": "active"}}`;
      return new Response(body, { status: known ? 304 : 200, headers: { etag: `"it"` } });
    });
    await ask("first");
    const again = ask("first");
    for (let other = 0; other < 30; other += 1) await ask(`other ${other}`);
    release();
    expect(await again).toEqual({ state: "active" });
  });

  it("asks the host for a token each time, and for another once one is refused", async () => {
    const getToken = vi.fn((refused?: string) => Promise.resolve(refused === undefined ? "old" : "new"));
    const mine = createApi("https://api.example.com", getToken);
    const sent: [string | null, unknown][] = [];
    vi.stubGlobal("fetch", async (request: Request) => {
      const token = request.headers.get("authorization");
      sent.push([token, await request.json()]);
      if (token === "Bearer old") return Response.json({ message: "Unauthorized" }, { status: 401 });
      return Response.json({ success: true, data: {} });
    });
    const body = { instructorId: "1" };
    await dataOf(mine.POST("/api/v1/calendar/sync", { body }));
    expect(sent).toEqual([
      ["Bearer old", body],
      ["Bearer new", body],
    ]);
    expect(getToken.mock.calls).toEqual([[], ["old"]]);
  });

  it("is refused where the host has no other token", async () => {
    const fetched = answering(401, `{"message": "Unauthorized"}`);
    expect(await refused()).toMatchObject({ code: "http_401" });
    expect(fetched).toHaveBeenCalledOnce();
  });

  it.each([null, undefined])(
    "is not sent where the host's token is %s: the session has ended",
    async (none) => {
      const fetched = answering(200, "{}");
      const mine = createApi("https://api.example.com", () => Promise.resolve(none));
      const call = dataOf(mine.GET(path, { params: { path: { instructorId: "1" } } }));
      await expect(call).rejects.toMatchObject({ code: "http_401" });
      expect(fetched).not.toHaveBeenCalled();
    },
  );

  it("is refused where the host has no token in place of the one that was", async () => {
    const fetched = answering(401, `{"message": "Unauthorized"}`);
    const mine = createApi("https://api.example.com", (refused) => (refused === undefined ? "old" : null));
    const call = dataOf(mine.GET(path, { params: { path: { instructorId: "1" } } }));
    await expect(call).rejects.toMatchObject({ code: "http_401" });
    expect(fetched).toHaveBeenCalledOnce();
  });

  it("does not take a sign-in that cannot be reached for a session that has ended", async () => {
    const fetched = answering(401, `{"message": "Unauthorized"}`);
    const offline = new TypeError("Failed to fetch");
    const never = createApi("https://api.example.com", () => Promise.reject(offline));
    const notAgain = createApi("https://api.example.com", (refused) => {
      if (refused === undefined) return "old";
      throw offline;
    });
    for (const [mine, sent] of [
      [never, 0],
      [notAgain, 1],
    ] as const) {
      const call = dataOf(mine.GET(path, { params: { path: { instructorId: "1" } } }));
      await expect(call).rejects.toMatchObject({ code: "unreachable" });
      expect(fetched).toHaveBeenCalledTimes(sent);
    }
  });

  it("reports a server that does not answer", async () => {
    vi.stubGlobal("fetch", () => Promise.reject(new TypeError("fetch failed")));
    expect(await refused()).toMatchObject({ code: "unreachable" });
  });
});
