import { CalendarConnections } from "@calendar-sync/react";

import { nameOf } from "./session";

/** Where an instructor connects their calendar. */
const connectUrl = () => new URL("/?tab=calendar", window.location.href).href;

/** The connected calendars of all instructors. */
export default function Administration() {
  return <CalendarConnections connectUrl={connectUrl} instructorName={nameOf} />;
}
