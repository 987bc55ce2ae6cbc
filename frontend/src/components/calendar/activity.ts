/** What the log has, in people's words. */
import type { PersonAct, SyncLog } from "../../api/calendar";
import type { Who } from "../../words/en";
import type { Language } from "../../words/language";
import { did } from "./did";

/** The title of a lesson, if it is known. */
export type LessonTitle = (lessonId: string) => string | undefined;

/** Whether a row is worth a person's time: a person did something, or a run found something or did not end well. */
export function isNews(log: SyncLog | PersonAct): boolean {
  if (log.kind === "act") return true;
  const found =
    log.eventsSynced + log.eventsCreated + log.eventsUpdated + log.eventsDeleted + log.conflictsDetected;
  return found > 0 || log.reasons.length > 0 || log.outcome !== "completed";
}

/** Why a run began, or who asked for it, and what came of it; of one that changed no event, what it says itself. */
export function summary(
  log: SyncLog,
  by: Who | undefined,
  lessonTitle: LessonTitle | undefined,
  timeZone: string | undefined,
  language: Language,
): string {
  const { activity, did: words } = language.words;
  const cause = by === undefined ? activity.causes[log.trigger] : activity.acts.synced(by);
  if (log.outcome === "running") return `${cause}: ${activity.underWay}`;
  if (log.outcome === "failed") return `${cause}: ${activity.failed}`;
  const changed = did(log, words);
  const [first] = log.reasons;
  if (changed === words.nothing && first === undefined && log.outcome === "completed") return cause;
  const said =
    changed === words.nothing && first !== undefined
      ? inWords(first, lessonTitle, timeZone, language)
      : changed;
  return `${cause}: ${log.outcome === "partial" ? said.replace(/\.$/, "") + activity.partLeft : said}`;
}

const UUID = "[\\da-f]{8}(?:-[\\da-f]{4}){3}-[\\da-f]{12}";
const MOMENT = "\\d{4}-\\d{2}-\\d{2} \\d{2}:\\d{2}";
const LESSON = new RegExp(`Lesson (${UUID}) of (?=${MOMENT})`, "g");
const MOMENTS = new RegExp(MOMENT, "g");
/** (A word has no digit.) */
const EVENT = /\b(e)vent (?=\w*\d)\w{5,}/gi;

/** A sentence of the API with the titles of lessons in place of their ids, without the ids of events, and with times as the
 * viewer writes them. (They are those of the calendar's zone.) */
export function inWords(
  sentence: string,
  lessonTitle: LessonTitle | undefined,
  timeZone: string | undefined,
  { words, format }: Language,
): string {
  const titled = (id: string) => {
    const title = lessonTitle?.(id);
    return title === undefined ? words.aLesson : words.quoted(title);
  };
  return sentence
    .replaceAll(LESSON, (_, id: string) => `${titled(id)}, `)
    .replaceAll(EVENT, (_, first: string) =>
      first === "e" ? words.anEvent : words.anEvent.replace(/^./, (letter) => letter.toUpperCase()),
    )
    .replaceAll(MOMENTS, (at) => format.clock(at, timeZone));
}
