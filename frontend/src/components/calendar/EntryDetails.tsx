import { useEffect, useId, useRef } from "react";

import { type Language, useLanguage } from "../../words/language";
import { type Entry, titleOf } from "./entries";

interface Props {
  /** The entry to show; `null` closes the dialog. */
  entry: Entry | null;
  timeZone: string;
  lessonTitle: (lessonId: string) => string | undefined;
  /** The address of the person's own calendar at Google. */
  calendarUrl: string;
  onClose: () => void;
}

/** All that is known here of a lesson or of an event in Google. */
export function EntryDetails({ entry, timeZone, lessonTitle, calendarUrl, onClose }: Props) {
  const language = useLanguage();
  const { words } = language;
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  useEffect(() => {
    if (entry) dialog.current?.showModal();
    else dialog.current?.close();
  }, [entry]);
  return (
    <dialog ref={dialog} aria-labelledby={title} onClose={onClose}>
      {entry && (
        <form method="dialog">
          <h3 id={title}>{entry.kind === "lesson" ? entry.lesson.title : titleOf(entry.event, words)}</h3>
          {facts(entry, timeZone, lessonTitle, language).map((fact, place) => (
            <p key={place}>{fact}</p>
          ))}
          <div className="row">
            <button>{words.calendar.close}</button>
            <a href={calendarUrl} target="_blank" rel="noopener noreferrer">
              {words.calendar.open}
            </a>
          </div>
        </form>
      )}
    </dialog>
  );
}

/** What there is to say of an entry, a sentence each. */
export function facts(
  entry: Entry,
  timeZone: string,
  lessonTitle: Props["lessonTitle"],
  { words, format }: Language,
): string[] {
  const say = words.entry;
  if (entry.kind === "lesson") {
    const { lesson } = entry;
    const when = format.span(lesson.startsAt, lesson.endsAt, timeZone);
    return [say.lesson(when), ...(lesson.hasConflict ? [say.lessonOverlaps] : [])];
  }
  const { event } = entry;
  const written = event.allDayEvent ? format.days : format.span;
  return [
    say.event(written(event.eventStart, event.eventEnd, timeZone)),
    event.location && say.place(event.location),
    event.recurring && say.repeats,
    event.eventStatus === "tentative" && say.tentative,
    event.freeBecause !== null && say.free(words.freeBecause[event.freeBecause]),
    ...event.conflicts.map(({ lessonId, overlapStart, overlapEnd }) =>
      say.overlaps(lessonTitle(lessonId) ?? words.someLesson, format.duration(overlapStart, overlapEnd)),
    ),
  ].filter((fact): fact is string => typeof fact === "string" && fact !== "");
}
