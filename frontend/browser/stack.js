// Starts the whole product on free ports and an empty folder, and a browser in front of it.
import { execFileSync, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "debug", "local-stack");

/** Where the API and the simulated Google listen, and `stop`. `settings` are those of `.env.example`. */
export async function startStack(settings = {}) {
  const data = await mkdtemp(path.join(tmpdir(), "calendar-sync-"));
  const stack = spawn(program, {
    env: {
      ...process.env,
      ...settings,
      LOCAL_API_PORT: "0",
      LOCAL_GOOGLE_PORT: "0",
      LOCAL_DATA: data,
      RUST_LOG: "warn",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = new Promise((resolve) => stack.once("exit", resolve));
  const addresses = [];
  for await (const line of createInterface(stack.stdout)) {
    addresses.push(...(line.match(/^ {2}(?:The page and the API|Google's calendar) +(\S+)/)?.slice(1) ?? []));
    if (addresses.length === 2) break;
  }
  const [api, google] = addresses;
  if (google === undefined) throw new Error("the stack did not start");
  const control = async (operation, body) => {
    const answer = await fetch(`${google}/control/${operation}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  const stop = async () => {
    stack.kill();
    await ended;
    await rm(data, { recursive: true });
  };
  return { api, google, control, stop };
}

/** A page of a new browser profile, and what went wrong on it; what Google serves is not ours. */
export async function openPage(address, locale = "en-US") {
  const executablePath = execFileSync("which", ["chromium"], { encoding: "utf8" }).trim();
  const browser = await chromium.launch({
    executablePath,
    args: ["--no-sandbox", "--disable-dev-shm-usage"],
  });
  const page = await browser.newPage({
    viewport: { width: 1200, height: 1400 },
    timezoneId: "Europe/Berlin",
    locale,
  });
  page.setDefaultTimeout(30_000);
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    const { url } = message.location();
    if (message.type() === "error" && url.startsWith(address)) errors.push(`${message.text()} ${url}`);
  });
  await page.goto(address);
  return { page, errors, close: () => browser.close() };
}
