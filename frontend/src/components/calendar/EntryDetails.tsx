import { useEffect, useId, useRef } from "react";

import { days, duration, span, words } from "../../format";
import { type Entry, titleOf } from "./entries";

interface Props {
  /** The entry to show; `null` closes the dialog. */
  entry: Entry | null;
  timeZone: string;
  lessonTitle: (lessonId: string) => string | undefined;
  /** The address of the person's own calendar at Google. */
  calendarUrl: string | undefined;
  onClose: () => void;
}

/** All that is known here of a lesson or of an event in Google. */
export function EntryDetails({ entry, timeZone, lessonTitle, calendarUrl, onClose }: Props) {
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
          <h3 id={title}>{entry.kind === "lesson" ? entry.lesson.title : titleOf(entry.event)}</h3>
          {facts(entry, timeZone, lessonTitle).map((fact) => (
            <p key={fact}>{fact}</p>
          ))}
          <div className="row">
            <button>Close</button>
            {calendarUrl !== undefined && (
              <a href={calendarUrl} target="_blank" rel="noopener noreferrer">
                Open the calendar at Google
              </a>
            )}
          </div>
        </form>
      )}
    </dialog>
  );
}

/** What there is to say of an entry, a sentence each. */
export function facts(entry: Entry, timeZone: string, lessonTitle: Props["lessonTitle"]): string[] {
  if (entry.kind === "lesson") {
    const { lesson } = entry;
    return [
      `A lesson, ${span(lesson.startsAt, lesson.endsAt, timeZone)}.`,
      ...(lesson.hasConflict ? ["It overlaps something in Google."] : []),
    ];
  }
  const { event } = entry;
  const when = event.allDayEvent
    ? days(event.eventStart, event.eventEnd, timeZone)
    : span(event.eventStart, event.eventEnd, timeZone);
  return [
    `In Google, ${when}.`,
    event.location && `Place: ${event.location}.`,
    event.recurring && "It repeats.",
    event.eventStatus === "tentative" && "It is tentative.",
    event.freeBecause !== null && `It keeps no time busy: ${words(event.freeBecause)}.`,
    ...event.conflicts.map(
      ({ lessonId, overlapStart, overlapEnd }) =>
        `It overlaps ${lessonTitle(lessonId) ?? "a lesson"} for ${duration(overlapStart, overlapEnd)}.`,
    ),
  ].filter((fact): fact is string => typeof fact === "string" && fact !== "");
}
