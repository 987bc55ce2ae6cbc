import FullCalendar from "@fullcalendar/react";
import dayGridPlugin from "@fullcalendar/react/daygrid";
import breezyTheme from "@fullcalendar/react/themes/breezy";
import timeGridPlugin from "@fullcalendar/react/timegrid";
import { useMemo, useState } from "react";

import { useExternalEvents } from "../../api/calendar";
import { isElsewhere } from "../../format";
import { useLanguage } from "../../words/language";
import { Problem } from "../Problem";
import { type Entry, firstDayOfWeek, notKept, ofEvent, ofLesson } from "./entries";
import { EntryDetails } from "./EntryDetails";
import { type CalendarLesson, titles } from "./lessons";

/** On a narrow screen a day is all that there is room for. */
const isNarrow = () => window.matchMedia("(max-width: 640px)").matches;

export interface Props {
  /** The calendar's time zone, as an IANA name. */
  timeZone: string;
  lessons: readonly CalendarLesson[];
  /** The address of the person's own calendar at Google. */
  calendarUrl: string;
}

/** Lessons and what stands in Google, side by side in one calendar; overlaps are marked. */
export default function EventsCalendar({ timeZone, lessons, calendarUrl }: Props) {
  const { tag, words, format, calendarLocale } = useLanguage();
  const { calendar } = words;
  const [range, setRange] = useState<{ from: Date; to: Date } | null>(null);
  const [conflictsOnly, setConflictsOnly] = useState(false);
  const [opened, setOpened] = useState<Entry | null>(null);
  const events = useExternalEvents(range, conflictsOnly);
  const past = useMemo(() => notKept(range, events.data?.availableFrom), [range, events.data]);
  const entries = useMemo(() => {
    const shown = ({ status, hasConflict }: CalendarLesson) =>
      status === "scheduled" && (!conflictsOnly || hasConflict);
    return [
      ...lessons.filter(shown).map(ofLesson),
      ...(events.data?.events ?? []).map((event) => ofEvent(event, words)),
      ...(past?.shades ?? []),
    ];
  }, [lessons, events.data, past, conflictsOnly, words]);
  return (
    <>
      <div className="row legend">
        <span className="swatch lesson">{calendar.lessons}</span>
        <span className="swatch busy">{calendar.busy}</span>
        <span className="swatch free">{calendar.free}</span>
        <span className="swatch overlaps">{calendar.overlap}</span>
        <label>
          <input
            type="checkbox"
            checked={conflictsOnly}
            onChange={(changed) => setConflictsOnly(changed.target.checked)}
          />{" "}
          {calendar.onlyOverlaps}
        </label>
      </div>
      <Problem error={events.error} />
      <FullCalendar
        plugins={[timeGridPlugin, dayGridPlugin, breezyTheme]}
        initialView={isNarrow() ? "timeGridDay" : "timeGridWeek"}
        headerToolbar={{
          start: "prev,today,next",
          center: "title",
          end: "timeGridDay,timeGridWeek,dayGridMonth",
        }}
        buttons={{
          today: { text: calendar.today, hint: calendar.today },
          timeGridDay: { text: calendar.day },
          timeGridWeek: { text: calendar.week },
          dayGridMonth: { text: calendar.month },
        }}
        locales={calendarLocale ? [calendarLocale] : []}
        locale={tag}
        firstDay={firstDayOfWeek(tag)}
        timeZone={timeZone}
        allDayText={calendar.allDay}
        slotHeaderFormat={{ hour: "numeric", minute: "2-digit" }}
        scrollTime="07:00"
        height={640}
        dayMaxEvents
        eventDisplay="block"
        slotEventOverlap={false}
        columnEventInnerClass="entry-inner"
        columnEventTimeClass="entry-time"
        columnEventTitleClass="entry-title"
        rowEventTitleClass="row-title"
        nowIndicator
        eventInteractive
        eventClick={({ event }) => setOpened(event.extendedProps["entry"] as Entry)}
        events={entries}
        datesSet={({ start, end }) =>
          setRange((before) =>
            before?.from.getTime() === start.getTime() && before.to.getTime() === end.getTime()
              ? before
              : { from: start, to: end },
          )
        }
      />
      {past && (
        <p className="hint">
          <span className="swatch not-kept">
            {calendar.notKept(format.days(past.firstDay, past.firstDay, timeZone))}
          </span>
        </p>
      )}
      {isElsewhere(timeZone) && <p className="hint">{calendar.zone(timeZone)}</p>}
      <EntryDetails
        entry={opened}
        timeZone={timeZone}
        lessonTitle={titles(lessons)}
        calendarUrl={calendarUrl}
        onClose={() => setOpened(null)}
      />
    </>
  );
}
