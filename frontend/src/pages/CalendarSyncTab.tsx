import { lazy, Suspense } from "react";
import { ErrorBoundary } from "react-error-boundary";

import { useConnect, useStatus } from "../api/calendar";
import { CalendarConnectButton } from "../components/calendar/CalendarConnectButton";
import { CalendarSettings } from "../components/calendar/CalendarSettings";
import { CalendarSyncStatus } from "../components/calendar/CalendarSyncStatus";
import { ConflictList } from "../components/calendar/ConflictList";
import { SyncHistory } from "../components/calendar/SyncHistory";
import { Problem } from "../components/Problem";
import { moment, words } from "../format";
import { useLessons, useNotices } from "../host/lessons";
import type { Session } from "../host/session";
import { type LoginOutcome, refusal } from "./loginOutcome";

// The calendar's page is most of what there is to load; it is loaded when the tab is opened.
const ExternalEventsViewer = lazy(() => import("../components/calendar/ExternalEventsViewer"));

/** Everything about the connection: connect, status, sync, settings, imported events, and the sync history. */
export function CalendarSyncTab({ session, login }: { session: Session; login: LoginOutcome | null }) {
  const { data: status, error, failureReason } = useStatus();
  const lessons = useLessons(session);
  const lessonTitle = (id: string) => lessons.data?.find((lesson) => lesson.id === id)?.title;
  if (status === undefined) {
    const problem = error ?? failureReason;
    return problem ? <Problem error={problem} /> : <p className="empty">Loading …</p>;
  }
  const timeZone = status.connected ? status.timeZone : undefined;
  return (
    <div className="cards">
      {login && (status.connected || login.kind !== "connected") && <Welcome outcome={login} />}
      <section>
        <h2>Google Calendar</h2>
        <Problem error={error ?? lessons.error} />
        <CalendarSyncStatus status={status} />
        <div className="row">
          <CalendarConnectButton status={status} />
          <a href={session.googleUrl} target="_blank" rel="noopener noreferrer">
            Open the Google calendar
          </a>
        </div>
      </section>
      {status.connected && (
        <section>
          <h2>Settings</h2>
          <CalendarSettings settings={status.settings} />
        </section>
      )}
      <section>
        <h2>Conflicts</h2>
        <ConflictList conflicts={status.conflicts} timeZone={timeZone} lessonTitle={lessonTitle} />
      </section>
      <Notices session={session} timeZone={timeZone} />
      {timeZone !== undefined && (
        <section className="wide">
          <h2>Busy in Google</h2>
          <ErrorBoundary fallbackRender={({ error }) => <Problem error={error as Error} />}>
            <Suspense fallback={<p className="empty">Loading …</p>}>
              <ExternalEventsViewer timeZone={timeZone} lessonTitle={lessonTitle} />
            </Suspense>
          </ErrorBoundary>
        </section>
      )}
      <section className="wide">
        <h2>Sync history</h2>
        <SyncHistory status={status} />
      </section>
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

function Notices({ session, timeZone }: { session: Session; timeZone: string | undefined }) {
  const notices = useNotices(session);
  return (
    <section>
      <h2>Notices</h2>
      <Problem error={notices.error} />
      {notices.data?.length === 0 && <p className="empty">The instructor was told nothing yet.</p>}
      <ul className="list">
        {notices.data?.map((notice) => (
          <li key={notice.detail.id}>
            <strong>{words(notice.detailType)}</strong>
            <small>{moment(notice.receivedAt, timeZone)}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}
