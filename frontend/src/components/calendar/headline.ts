/** What a person reads first of a connection: one line, how good it is, and a sentence more. */
import type { Connection, Status } from "../../api/calendar";
import type { Language } from "../../words/language";

export interface Headline {
  tone: "good" | "busy" | "warn" | "bad" | "quiet";
  title: string;
  hint: string;
}

/** The API counts no further. */
const MAX_WAITING = 1000;
const MAX_FAILED = 100;

export function headline(status: Status, language: Language, now: number): Headline {
  const { state: words, reasons } = language.words;
  const hint = reasons[status.reason ?? ""] ?? status.description;
  switch (status.state) {
    case "not_connected":
      return { tone: "quiet", title: words.notConnected, hint: words.invitation };
    case "needs_reauth":
      return { tone: "bad", title: words.needsPermission, hint };
    case "failing":
    case "client_refused":
      return { tone: "bad", title: words.heldUp, hint };
    case "switched_off":
      return { tone: "quiet", title: words.off, hint: "" };
    case "disconnecting":
      return { tone: "busy", title: words.disconnecting, hint: "" };
    case "active":
      return status.connected
        ? ofActive(status, language, now)
        : { tone: "quiet", title: words.notConnected, hint: words.invitation };
  }
}

/** Instead of it, where the browser is offline: what is shown was known at `knownAt`, in milliseconds; 0 is never. */
export function offline({ words, format }: Language, knownAt: number): Headline {
  const { title, since, waiting } = words.offline;
  const hint = knownAt === 0 ? waiting : since(format.moment(new Date(knownAt).toISOString()));
  return { tone: "quiet", title, hint };
}

function ofActive(
  { counts, lastSyncedAt, progress, settings }: Connection,
  { words, format }: Language,
  now: number,
): Headline {
  const { lessonsWaiting, lessonsFailed } = counts;
  const { state } = words;
  if (lessonsFailed > 0) {
    const hint = lessonsWaiting > 0 ? state.waiting(lessonsWaiting, MAX_WAITING) : "";
    return { tone: "bad", title: state.failed(lessonsFailed, MAX_FAILED), hint };
  }
  const lastSynced = lastSyncedAt === null ? "" : state.lastSynced(format.ago(lastSyncedAt, now));
  // Without being asked, nothing is written, and nothing is known of what came since.
  if (!settings.autoSync) {
    const title = lessonsWaiting > 0 ? state.waitingForYou(lessonsWaiting, MAX_WAITING) : state.byHand;
    return { tone: "quiet", title, hint: lastSynced };
  }
  if (lastSyncedAt === null) {
    const toGo = lessonsWaiting > 0 ? state.firstToGo(lessonsWaiting, MAX_WAITING) : state.firstSync;
    const title = progress === null ? toGo : firstListing(progress, settings, state);
    return { tone: "busy", title, hint: state.firstHint };
  }
  if (progress !== null)
    return { tone: "busy", title: state.listingAnew(progress.eventsListed), hint: lastSynced };
  if (lessonsWaiting > 0)
    return { tone: "busy", title: state.writing(lessonsWaiting, MAX_WAITING), hint: "" };
  const lessons = settings.syncDirection === "from_google" ? state.notWritten : state.allWritten;
  return { tone: "good", title: state.upToDate, hint: `${lessons} ${lastSynced}` };
}

function firstListing(
  { eventsListed, lessonsWaiting, lessonsInAll }: NonNullable<Connection["progress"]>,
  { syncDirection }: Connection["settings"],
  words: Language["words"]["state"],
): string {
  return syncDirection === "from_google" || lessonsInAll === 0
    ? words.firstListing(eventsListed)
    : words.firstListingWithLessons(eventsListed, lessonsInAll - lessonsWaiting, lessonsInAll);
}
