import { lazy, Suspense } from "react";
import { ErrorBoundary } from "react-error-boundary";

import { useConnect, useStatus } from "../api/calendar";
import { CalendarConnectButton } from "../components/calendar/CalendarConnectButton";
import { CalendarSettings } from "../components/calendar/CalendarSettings";
import { CalendarSyncStatus } from "../components/calendar/CalendarSyncStatus";
import { ConflictList } from "../components/calendar/ConflictList";
import { ConnectionMenu } from "../components/calendar/ConnectionMenu";
import { SyncHistory } from "../components/calendar/SyncHistory";
import { Problem } from "../components/Problem";
import { ago, moment } from "../format";
import { type Lesson, useLessons, useNotices } from "../host/lessons";
import type { Session } from "../host/session";
import { type LoginOutcome, refusal } from "./loginOutcome";

// The calendar's page is most of what there is to load; it is loaded when the tab is opened.
const ExternalEventsViewer = lazy(() => import("../components/calendar/ExternalEventsViewer"));

const NO_LESSONS: readonly Lesson[] = [];

/** The calendar with lessons and busy times, and beside it the connection, conflicts and settings. */
export function CalendarSyncTab({ session, login }: { session: Session; login: LoginOutcome | null }) {
  const { data: status, error, failureReason } = useStatus();
  const { data: lessons = NO_LESSONS, error: lessonsError } = useLessons(session);
  if (status === undefined) {
    const problem = error ?? failureReason;
    return problem ? <Problem error={problem} /> : <p className="empty">Loading …</p>;
  }
  const timeZone = status.connected ? status.timeZone : undefined;
  const lessonTitle = (id: string) => lessons.find((lesson) => lesson.id === id)?.title;
  return (
    <div className="cards">
      {login && (status.connected || login.kind !== "connected") && <Welcome outcome={login} />}
      <div className="main">
        {timeZone !== undefined && (
          <section className="calendar">
            <h2>Calendar</h2>
            <ErrorBoundary fallbackRender={({ error }) => <Problem error={error as Error} />}>
              <Suspense fallback={<p className="empty">Loading …</p>}>
                <ExternalEventsViewer timeZone={timeZone} lessons={lessons} calendarUrl={session.googleUrl} />
              </Suspense>
            </ErrorBoundary>
          </section>
        )}
        {status.logs.length > 0 && (
          <section className="activity">
            <h2>Activity</h2>
            <SyncHistory status={status} lessonTitle={lessonTitle} />
          </section>
        )}
      </div>
      <div className="aside">
        <section>
          <div className="title">
            <h2>Google Calendar</h2>
            {status.connected && <ConnectionMenu connection={status} />}
          </div>
          <Problem error={error ?? lessonsError} />
          {status.connected && (
            <p className="account">
              <a href={session.googleUrl} target="_blank" rel="noopener noreferrer">
                {status.googleAccount ?? status.calendarId}
              </a>
            </p>
          )}
          <CalendarSyncStatus status={status} lessonTitle={lessonTitle} />
          <div className="row connect">
            <CalendarConnectButton status={status} />
          </div>
        </section>
        {status.connected && (
          <>
            <section>
              <h2>Conflicts</h2>
              <ConflictList conflicts={status.conflicts} timeZone={timeZone} lessons={lessons} />
            </section>
            <section className="seldom">
              <h2>Settings</h2>
              <CalendarSettings settings={status.settings} />
            </section>
          </>
        )}
        <Notices session={session} timeZone={timeZone} lessonTitle={lessonTitle} />
      </div>
    </div>
  );
}

/** The outcome of a login, and what to do next. */
function Welcome({ outcome }: { outcome: LoginOutcome }) {
  const connect = useConnect();
  if (outcome.kind === "finish") {
    return (
      <p role="status" className="wide empty">
        The calendar is being connected …
      </p>
    );
  }
  if (outcome.kind === "connected") {
    return (
      <p role="status" className="wide good-news">
        The calendar is connected.
      </p>
    );
  }
  return (
    <div role="alert" className="wide problem">
      <p>{refusal(outcome.code)}</p>
      {outcome.code === "other_account" && (
        <button type="button" disabled={connect.isPending} onClick={() => connect.mutate(true)}>
          Let another account take its place
        </button>
      )}
      <Problem error={connect.error} />
    </div>
  );
}

/** What the host would mail to the instructor. */
const NOTICES: Record<string, (lesson: string, putBack?: boolean) => string> = {
  "conflict.found": (lesson) => `${lesson} overlaps something in Google`,
  "conflict.cleared": (lesson) => `${lesson} overlaps nothing any more`,
  "event.changed_in_google": (lesson, putBack) =>
    `${lesson} was changed in Google${putBack ? ", and put back" : "; it is left as it is"}`,
  "connection.needs_attention": () => "Google needs your permission again",
  "sync.failing": () => "The sync is held up",
};

interface NoticesProps {
  session: Session;
  timeZone: string | undefined;
  lessonTitle: (id: string) => string | undefined;
}

function Notices({ session, timeZone, lessonTitle }: NoticesProps) {
  const notices = useNotices(session);
  const told = (notices.data ?? []).flatMap(({ detailType, receivedAt, detail }) => {
    const sentence = NOTICES[detailType]?.(lessonTitle(detail.lessonId ?? "") ?? "A lesson", detail.putBack);
    return sentence === undefined ? [] : [{ id: detail.id, sentence, receivedAt }];
  });
  if (told.length === 0 && !notices.error) return null;
  return (
    <section className="seldom">
      <h2>Told to the instructor</h2>
      <Problem error={notices.error} />
      <ul className="list">
        {told.map(({ id, sentence, receivedAt }) => (
          <li key={id}>
            <span>{sentence}</span>
            <small title={moment(receivedAt, timeZone)}>{ago(receivedAt)}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
