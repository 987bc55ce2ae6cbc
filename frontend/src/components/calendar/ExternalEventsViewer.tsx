import "@fullcalendar/react/skeleton.css";
import "@fullcalendar/react/themes/classic/palette.css";
import "@fullcalendar/react/themes/classic/theme.css";

import FullCalendar, { type EventInput } from "@fullcalendar/react";
import listPlugin from "@fullcalendar/react/list";
import classicTheme from "@fullcalendar/react/themes/classic";
import timeGridPlugin from "@fullcalendar/react/timegrid";
import { useState } from "react";

import { type ExternalEvent, useExternalEvents } from "../../api/calendar";
import { words } from "../../format";
import { Problem } from "../Problem";

const [CONFLICT, BUSY, FREE] = ["#b3261e", "#2457d6", "#6b7487"];

interface Props {
  /** The calendar's time zone, as an IANA name. */
  timeZone: string;
  /** The title of a lesson, if it is known. */
  lessonTitle: (lessonId: string) => string | undefined;
}

/** The imported events in a calendar view, with the lessons that they overlap. */
export default function ExternalEventsViewer({ timeZone, lessonTitle }: Props) {
  const [range, setRange] = useState<{ from: Date; to: Date } | null>(null);
  const [conflictsOnly, setConflictsOnly] = useState(false);
  const events = useExternalEvents(range, conflictsOnly);
  return (
    <>
      <label>
        <input
          type="checkbox"
          checked={conflictsOnly}
          onChange={(changed) => setConflictsOnly(changed.target.checked)}
        />{" "}
        Only what overlaps a lesson
      </label>
      <Problem error={events.error} />
      <FullCalendar
        plugins={[timeGridPlugin, listPlugin, classicTheme]}
        initialView="timeGridWeek"
        headerToolbar={{ start: "prev,today,next", center: "title", end: "timeGridWeek,listMonth" }}
        buttons={{ timeGridWeek: { text: "Week" }, listMonth: { text: "Month" } }}
        timeZone={timeZone}
        firstDay={1}
        scrollTime="07:00"
        height={560}
        nowIndicator
        noEventsContent={
          events.isSuccess ? "Nothing is planned in Google." : events.isError ? "" : "Loading …"
        }
        events={(events.data ?? []).map((event) => onPage(event, lessonTitle))}
        datesSet={({ start, end }) =>
          setRange((before) =>
            before?.from.getTime() === start.getTime() && before.to.getTime() === end.getTime()
              ? before
              : { from: start, to: end },
          )
        }
      />
    </>
  );
}

/** An occurrence for the calendar view. */
export function onPage(event: ExternalEvent, lessonTitle: Props["lessonTitle"]): EventInput {
  const title = event.title ?? (event.private ? "Busy" : "Untitled");
  const overlapped = event.conflicts.map(({ lessonId }) => lessonTitle(lessonId) ?? "a lesson");
  const notes = [
    overlapped.length > 0 && `overlaps ${[...new Set(overlapped)].join(", ")}`,
    event.freeBecause !== null && `free: ${words(event.freeBecause)}`,
    event.eventStatus === "tentative" && "tentative",
    event.recurring && "repeats",
    event.location,
  ].filter((note) => typeof note === "string" && note !== "");
  return {
    id: `${event.googleEventId} ${event.eventStart}`,
    title: [title, ...notes].join(" · "),
    start: event.eventStart,
    end: event.eventEnd,
    allDay: event.allDayEvent,
    color: event.hasConflict ? CONFLICT : event.blocks ? BUSY : FREE,
  };
}
