/** Lessons and events of Google as entries of the calendar view. */
import type { EventInput } from "@fullcalendar/react";

import type { ExternalEvent } from "../../api/calendar";
import type { Words } from "../../words/en";
import type { CalendarLesson } from "./lessons";

/** What an entry stands for. */
export type Entry = { kind: "lesson"; lesson: CalendarLesson } | { kind: "event"; event: ExternalEvent };

export const titleOf = (event: ExternalEvent, words: Words): string =>
  event.private ? words.busy : event.title || words.noTitle;

const overlapping = (kind: string, overlaps: boolean) => ["entry", kind, ...(overlaps ? ["overlaps"] : [])];

export function ofLesson(lesson: CalendarLesson): EventInput {
  return {
    id: `lesson ${lesson.id}`,
    title: lesson.title,
    start: lesson.startsAt,
    end: lesson.endsAt,
    color: "var(--lesson)",
    contrastColor: "var(--on-lesson)",
    className: overlapping("lesson", lesson.hasConflict).join(" "),
    entry: { kind: "lesson", lesson } satisfies Entry,
  };
}

export function ofEvent(event: ExternalEvent, words: Words): EventInput {
  const kind = event.blocks ? "busy" : "free";
  return {
    id: `${event.googleEventId} ${event.eventStart}`,
    title: titleOf(event, words),
    start: event.eventStart,
    end: event.eventEnd,
    allDay: event.allDayEvent,
    color: `var(--${kind})`,
    contrastColor: `var(--on-${kind})`,
    className: overlapping(kind, event.hasConflict).join(" "),
    entry: { kind: "event", event } satisfies Entry,
  };
}

const DAY_MS = 86_400_000;

/** A range of the calendar in which past events are not kept, as shades of hours and of whole days, and the first day of which
 * all are: where what is kept begins within a day, the next one. `null` where all of the range is kept. */
export function notKept(range: { from: Date; to: Date } | null, availableFrom: string | undefined) {
  if (range === null || availableFrom === undefined) return null;
  const known = Date.parse(availableFrom);
  if (range.from.getTime() >= known) return null;
  const firstDay = known + DAY_MS - 1;
  const until = (end: number): EventInput => ({
    start: range.from,
    end: new Date(Math.min(end, range.to.getTime())),
    display: "background",
    className: "not-kept",
  });
  // Weeks show the one and months the other.
  const shades = [until(known), { ...until(firstDay), allDay: true }];
  return { shades, firstDay: new Date(firstDay).toISOString() };
}

/** The first day of the week where the viewer is: 0 is Sunday. */
export function firstDayOfWeek(locale: string): number {
  const info = new Intl.Locale(locale) as Intl.Locale & { getWeekInfo?: () => { firstDay: number } };
  return (info.getWeekInfo?.().firstDay ?? 1) % 7;
}
