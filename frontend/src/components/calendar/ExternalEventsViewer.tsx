import { lazy, Suspense, useEffect } from "react";

import { useStatus } from "../../api/calendar";
import { Fallible } from "../Fallible";
import { Problem } from "../Problem";
import { Scope } from "../Scope";
import { Skeleton } from "../Skeleton";
import { GOOGLE_CALENDAR, type CalendarLesson } from "./lessons";

// The calendar is most of what there is to load. It is loaded beside the first answer, which mostly says to show it.
const load = () => import("./EventsCalendar");
const EventsCalendar = lazy(load);

interface Props {
  lessons: readonly CalendarLesson[];
  /** The address of the person's own calendar, if it is not Google's. */
  calendarUrl?: string;
}

/** Lessons and what stands in Google, side by side in one calendar. Without a connection there is none. */
export function ExternalEventsViewer({ lessons, calendarUrl = GOOGLE_CALENDAR }: Props) {
  return (
    <Scope>
      <Viewer lessons={lessons} calendarUrl={calendarUrl} />
    </Scope>
  );
}

function Viewer({ lessons, calendarUrl }: Required<Props>) {
  const { data: status, error } = useStatus();
  useEffect(() => {
    if (status === undefined) load().catch(() => undefined);
  }, [status]);
  const place = <Skeleton className="week" />;
  if (status === undefined) return error ? <Problem error={error} /> : place;
  if (!status.connected) return null;
  return (
    <Fallible>
      <Suspense fallback={place}>
        <EventsCalendar timeZone={status.timeZone} lessons={lessons} calendarUrl={calendarUrl} />
      </Suspense>
    </Fallible>
  );
}
