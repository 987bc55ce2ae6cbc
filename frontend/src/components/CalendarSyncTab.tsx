import type { ReactNode } from "react";

import { type Connection, type Status, useStatus } from "../api/calendar";
import { LoginNotice } from "../login/LoginNotice";
import { useLanguage } from "../words/language";
import type { PersonName } from "./calendar/acts";
import { CalendarConnectButton } from "./calendar/CalendarConnectButton";
import { CalendarSettings } from "./calendar/CalendarSettings";
import { CalendarSyncStatus } from "./calendar/CalendarSyncStatus";
import { ConflictList } from "./calendar/ConflictList";
import { ConnectionMenu } from "./calendar/ConnectionMenu";
import { ExternalEventsViewer } from "./calendar/ExternalEventsViewer";
import { type CalendarLesson, GOOGLE_CALENDAR, titles } from "./calendar/lessons";
import { SyncHistory } from "./calendar/SyncHistory";
import { Scope } from "./Scope";
import { Skeleton } from "./Skeleton";

interface Props {
  /** The host's lessons, which stand in the calendar beside what is in Google. */
  lessons: readonly CalendarLesson[];
  /** The address of the person's own calendar, if it is not Google's. */
  calendarUrl?: string;
  /** The name of a person by the subject of their token, for the activity; without it they are called by their role. */
  personName?: PersonName;
  /** Sections of the host's own, at the end. */
  children?: ReactNode;
}

/** The calendar with lessons and busy times, and beside it the connection, conflicts and settings. */
export function CalendarSyncTab({ lessons, calendarUrl = GOOGLE_CALENDAR, personName, children }: Props) {
  return (
    <Scope>
      <Tab lessons={lessons} calendarUrl={calendarUrl} personName={personName}>
        {children}
      </Tab>
    </Scope>
  );
}

type TabProps = Pick<Props, "lessons" | "children"> & {
  calendarUrl: string;
  personName: PersonName | undefined;
};

function Tab({ lessons, calendarUrl, personName, children }: TabProps) {
  const { words } = useLanguage();
  const { data: status, error } = useStatus();
  // Until it is known, a connection is expected: most who open the tab have one.
  const expected = status === undefined ? error === null : status.connected;
  const connection = status?.connected ? status : undefined;
  return (
    <div className="cards" aria-busy={status === undefined && error === null}>
      <LoginNotice />
      <div className="main">
        {expected && (
          <section className="calendar">
            <h2>{words.calendar.title}</h2>
            <ExternalEventsViewer lessons={lessons} calendarUrl={calendarUrl} />
          </section>
        )}
        {status && status.logs.length > 0 && (
          <section className="activity">
            <h2>{words.activity.title}</h2>
            <SyncHistory status={status} lessonTitle={titles(lessons)} personName={personName} />
          </section>
        )}
      </div>
      <div className="aside">
        <GoogleCalendar status={status} lessons={lessons} calendarUrl={calendarUrl} />
        {expected && (
          <>
            <section>
              <h2>{words.conflicts.title}</h2>
              <Conflicts connection={connection} lessons={lessons} />
            </section>
            <section className="seldom">
              <h2>{words.settings.title}</h2>
              {connection ? (
                <CalendarSettings settings={connection.settings} />
              ) : (
                <Skeleton className="settings" lines={4} />
              )}
            </section>
          </>
        )}
        {children}
      </div>
    </div>
  );
}

interface GoogleCalendarProps {
  status: Status | undefined;
  lessons: readonly CalendarLesson[];
  calendarUrl: string;
}

/** The connection: whose it is, how it stands, and what can be done with it. */
function GoogleCalendar({ status, lessons, calendarUrl }: GoogleCalendarProps) {
  const { words } = useLanguage();
  return (
    <section>
      <div className="title">
        <h2>{words.googleCalendar}</h2>
        {status?.connected && <ConnectionMenu connection={status} />}
      </div>
      {status?.connected && (
        <p className="account">
          <a href={calendarUrl} target="_blank" rel="noopener noreferrer">
            {status.googleAccount ?? status.calendarId}
          </a>
        </p>
      )}
      <CalendarSyncStatus lessons={lessons} />
      {status?.connected === false && (
        <ul className="promises">
          {words.connect.promises.map((promise) => (
            <li key={promise}>{promise}</li>
          ))}
        </ul>
      )}
      {status && (
        <div className="connect">
          <CalendarConnectButton />
        </div>
      )}
    </section>
  );
}

interface ConflictsProps {
  connection: Connection | undefined;
  lessons: readonly CalendarLesson[];
}

function Conflicts({ connection, lessons }: ConflictsProps) {
  if (connection === undefined) return <Skeleton />;
  const { conflicts, ignoredConflicts, counts, timeZone } = connection;
  return (
    <ConflictList
      live={{ next: conflicts, count: counts.conflicts }}
      ignored={{ next: ignoredConflicts, count: counts.conflictsIgnored }}
      timeZone={timeZone}
      lessons={lessons}
    />
  );
}
