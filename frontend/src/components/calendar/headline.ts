/** What a person reads first of a connection: one line, how good it is, and a sentence more. */
import type { Connection, Status } from "../../api/calendar";
import { ago, count } from "../../format";

export interface Headline {
  tone: "good" | "busy" | "bad" | "quiet";
  title: string;
  hint: string;
}

/** The API counts no further. */
const MAX_WAITING = 1000;
const MAX_FAILED = 100;

const atLeast = (number: number, max: number, one: string) =>
  number < max ? count(number, one) : `${max} ${one}s or more`;

export function headline(status: Status): Headline {
  const hint = status.description;
  switch (status.state) {
    case "not_connected":
      return {
        tone: "quiet",
        title: "Not connected",
        hint: "Once connected, your lessons appear in your Google calendar, and what you plan there is known here.",
      };
    case "needs_reauth":
      return { tone: "bad", title: "Google needs your permission again", hint };
    case "failing":
    case "client_refused":
      return { tone: "bad", title: "The sync is held up", hint };
    case "switched_off":
      return { tone: "quiet", title: "Sync is off", hint };
    case "disconnecting":
      return { tone: "busy", title: "Disconnecting …", hint };
    case "active":
      return status.connected ? ofActive(status) : { tone: "quiet", title: "Not connected", hint };
  }
}

function ofActive({ counts, lastSyncedAt, settings }: Connection): Headline {
  const { lessonsWaiting, lessonsFailed } = counts;
  if (lessonsFailed > 0) {
    const lessons = atLeast(lessonsFailed, MAX_FAILED, "lesson");
    const waiting = lessonsWaiting > 0 ? `${atLeast(lessonsWaiting, MAX_WAITING, "change")} on the way.` : "";
    return { tone: "bad", title: `${lessons} could not be put into Google`, hint: waiting };
  }
  if (lessonsWaiting > 0) {
    const changes = atLeast(lessonsWaiting, MAX_WAITING, "change");
    return { tone: "busy", title: `Writing to Google: ${changes} to go`, hint: "" };
  }
  if (lastSyncedAt === null)
    return { tone: "busy", title: "Reading your calendar for the first time …", hint: "" };
  const lessons =
    settings.syncDirection === "from_google"
      ? "Lessons are not written to Google."
      : "All lessons are in Google.";
  return { tone: "good", title: "Up to date", hint: `${lessons} Last synced ${ago(lastSyncedAt)}.` };
}
