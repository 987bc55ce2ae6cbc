/** Calls of the API: a bearer token on each, and one type of error. */
import createClient, { type Middleware } from "openapi-fetch";

import type { paths } from "./schema";

/** Why a call failed, with a message for people. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** For programs: the API's own code, or `unreachable`, or `http_` and the status. */
    readonly code: string,
    message: string,
    /** The fields that the API finds wrong. */
    readonly details: readonly { field: string; message: string }[] = [],
  ) {
    super(message);
  }
}

type Token = string | null | undefined;

/** The caller's token. `refused` is the one that the API no longer takes: another is to take its place. Without a token the
 * session has ended. A function that fails has not found out: it is asked again later. */
export type GetToken = (refused?: string) => Token | Promise<Token>;

/** A client of the API for one caller. `baseUrl` is empty if page and API are one site. */
export function createApi(baseUrl: string, getToken: GetToken) {
  const client = createClient<paths>({ baseUrl, credentials: "include", fetch: authorized(getToken) });
  client.use(sparingly());
  return client;
}

/** Sends a request with the caller's token, and once more with another if that one is refused. */
function authorized(getToken: GetToken) {
  return async (request: Request): Promise<Response> => {
    const { url, method, credentials, signal } = request;
    // (Firefox knows no `body` of a request. One that only reads must have none.)
    const body = (await request.text()) || null;
    const send = (token: string) => {
      const headers = new Headers(request.headers);
      headers.set("authorization", `Bearer ${token}`);
      return fetch(new Request(url, { method, credentials, signal, headers, body }));
    };
    const token = (await getToken()) ?? undefined;
    if (token === undefined) throw new ApiError("http_401", "Your session has ended. Sign in again.");
    const answer = await send(token);
    if (answer.status !== 401) return answer;
    const newer = (await getToken(token)) ?? token;
    return newer === token ? answer : send(newer);
  };
}

const MAX_KNOWN = 20;

interface Answered {
  tag: string;
  body: string;
}

/** Does not have the API send again what it sent before. What it sent is kept in memory alone: it is about people's plans. */
function sparingly(): Middleware {
  const known = new Map<string, Answered>();
  // An answer may be forgotten while it is asked whether it is still right.
  const named = new WeakMap<Request, Answered>();
  const remember = (address: string, answer: Answered) => {
    known.delete(address);
    const [oldest] = known.keys();
    if (known.size >= MAX_KNOWN && oldest !== undefined) known.delete(oldest);
    known.set(address, answer);
  };
  return {
    onRequest({ request }) {
      const answer = request.method === "GET" ? known.get(request.url) : undefined;
      if (answer === undefined) return;
      named.set(request, answer);
      request.headers.set("if-none-match", answer.tag);
    },
    async onResponse({ request, response }) {
      const answer = named.get(request);
      if (response.status === 304 && answer) {
        remember(request.url, answer);
        return new Response(answer.body, { headers: { "content-type": "application/json" } });
      }
      const tag = response.headers.get("etag");
      if (request.method === "GET" && response.status === 200 && tag !== null)
        remember(request.url, { tag, body: await response.clone().text() });
      return undefined;
    },
  };
}

export type Api = ReturnType<typeof createApi>;

interface Answer {
  data?: { data?: unknown };
  error?: unknown;
  response: Response;
}

/** The data of an answer. Throws an {@link ApiError} for every other answer, and without one. */
export async function dataOf<A extends Answer>(
  call: Promise<A>,
): Promise<NonNullable<NonNullable<A["data"]>["data"]>> {
  const { data, error, response } = await call.catch((error: unknown): never => {
    if (error instanceof ApiError) throw error;
    throw new ApiError("unreachable", "The server does not answer. Is this machine online?");
  });
  if (data?.data === undefined || data.data === null) throw toError(error, response.status);
  return data.data;
}

/** API Gateway answers `{ "message": … }`, the functions `{ "success": false, "error": … }`, a proxy anything. */
function toError(body: unknown, status: number): ApiError {
  const { error, message } = (typeof body === "object" && body !== null ? body : {}) as {
    error?: { code: string; message: string; details?: { field: string; message: string }[] };
    message?: string;
  };
  if (error) return new ApiError(error.code, error.message, error.details);
  return new ApiError(`http_${status}`, message ?? `The server answered ${status}.`);
}
