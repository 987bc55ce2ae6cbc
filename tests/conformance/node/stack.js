// The product's one-machine stack in front of a scripted Google: instructors who log in, and what they then see.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { startGoogle } from "./scripted-google.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const program = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "debug", "local-stack");
const clientId = "scripted.apps.googleusercontent.com";
const tenant = "5c7a1e00-0000-4000-8000-0000000000c0";
const FIRST_SYNC_MS = 120_000;

/** Starts the stack, its clock set to `now`, in front of `calendars` (see `startGoogle`). */
export async function startStack(calendars, now) {
  if (!existsSync(program)) throw new Error(`${program} is not built: run \`make conformance\``);
  const google = await startGoogle(calendars, clientId);
  const data = await mkdtemp(path.join(tmpdir(), "calendar-sync-"));
  const stack = spawn(program, { env: environment(google.base, data, now), stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => stack.once("exit", resolve));
  const stop = async () => {
    stack.kill();
    await ended;
    google.stop();
    await rm(data, { recursive: true });
  };
  for await (const line of createInterface(stack.stdout)) {
    const api = line.match(/The page and the API +(\S+)/)?.[1];
    if (api) return { api, google, stop };
  }
  await stop();
  throw new Error("the stack did not start");
}

function environment(google, data, now) {
  return {
    ...process.env,
    LOCAL_API_PORT: "0",
    LOCAL_DATA: data,
    LOCAL_NOW: now,
    RUST_LOG: "error",
    GOOGLE_CLIENT_ID: clientId,
    GOOGLE_CLIENT_SECRET: "scripted-secret",
    GOOGLE_REDIRECT_URI: "http://localhost:3000/api/v1/calendar/oauth/callback",
    GOOGLE_QUOTA_A_MINUTE: "1000000",
    GOOGLE_AUTHORIZE_URL: `${google}/o/oauth2/v2/auth`,
    GOOGLE_TOKEN_URL: `${google}/token`,
    GOOGLE_REVOKE_URL: `${google}/revoke`,
    GOOGLE_CALENDAR_URL: `${google}/calendar/v3`,
    GOOGLE_BATCH_URL: `${google}/batch/calendar/v3`,
  };
}

/** A new instructor, signed in to the host, whose Google calendar is `calendars[name]`; `number` makes their id. */
export async function signIn({ api }, name, number) {
  const instructor = `5c7a1e00-0000-4000-8000-${String(number).padStart(12, "0")}`;
  const caller = `tenant=${tenant}&instructor=${instructor}`;
  const added = { method: "POST", headers: { "Content-Type": "application/json" } };
  const body = JSON.stringify({ name, email: `${name}@example.com` });
  const { status } = await fetch(`${api}/dev/instructors?${caller}`, { ...added, body });
  if (status !== 201) throw new Error(`adding ${name}: ${status}`);
  const { token } = await json(await fetch(`${api}/dev/session?${caller}`));
  return { api, name, instructor, caller, headers: { Authorization: `Bearer ${token}` } };
}

/** Gives the person a lesson, and its id. */
export async function addLesson({ api, caller }, [startsAt, endsAt]) {
  const body = JSON.stringify({ title: "Lesson", startsAt, endsAt, timeZone: "Europe/Berlin" });
  const headers = { "Content-Type": "application/json" };
  return (await json(await fetch(`${api}/dev/lessons?${caller}`, { method: "POST", headers, body }))).id;
}

/** Logs in at Google, and waits until the first sync is over. */
export async function connect(person) {
  const { api, instructor, headers, name } = person;
  const begun = await fetch(`${api}/api/v1/calendar/oauth/url?instructorId=${instructor}`, { headers });
  const { authUrl } = (await json(begun)).data;
  const state = new URL(authUrl).searchParams.get("state");
  const cookie = begun.headers.get("set-cookie").split(";")[0];
  const callback = `${api}/api/v1/calendar/oauth/callback?code=${name}&state=${state}`;
  await json(await fetch(callback, { headers: { Cookie: cookie, Accept: "application/json" } }));
  for (const until = Date.now() + FIRST_SYNC_MS; Date.now() < until; await sleep(200)) {
    const { lastSyncedAt } = (await json(await fetch(`${api}/api/v1/calendar/status/${instructor}`, { headers }))).data;
    if (lastSyncedAt) return;
  }
  throw new Error(`the first sync of ${name} takes longer than ${FIRST_SYNC_MS} ms`);
}

/** Every occurrence in the window, page by page. */
export async function externalEvents({ api, instructor, headers }, [from, to]) {
  const events = [];
  for (let cursor = null, first = true; first || cursor !== null; first = false) {
    const query = new URLSearchParams({ from, to, ...(cursor && { cursor }) });
    const url = `${api}/api/v1/calendar/external-events/${instructor}?${query}`;
    const { data } = await json(await fetch(url, { headers }));
    events.push(...data.events);
    cursor = data.nextCursor;
  }
  return events;
}

async function json(response) {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
  return response.json();
}
