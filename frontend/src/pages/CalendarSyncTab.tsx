import { lazy, Suspense } from "react";
import { ErrorBoundary } from "react-error-boundary";

import { useConnect, useStatus } from "../api/calendar";
import { CalendarConnectButton } from "../components/calendar/CalendarConnectButton";
import { CalendarSettings } from "../components/calendar/CalendarSettings";
import { CalendarSyncStatus } from "../components/calendar/CalendarSyncStatus";
import { ConflictList } from "../components/calendar/ConflictList";
import { ConnectionMenu } from "../components/calendar/ConnectionMenu";
import { SyncHistory } from "../components/calendar/SyncHistory";
import { Ago } from "../components/Ago";
import { Problem } from "../components/Problem";
import { type Lesson, type Notice, useLessons, useNotices } from "../host/lessons";
import type { Session } from "../host/session";
import { type Language, useLanguage } from "../words/language";
import { type LoginOutcome, refusalOf } from "./loginOutcome";

// The calendar's page is most of what there is to load; it is loaded when the tab is opened.
const ExternalEventsViewer = lazy(() => import("../components/calendar/ExternalEventsViewer"));

const NO_LESSONS: readonly Lesson[] = [];

/** The calendar with lessons and busy times, and beside it the connection, conflicts and settings. */
export function CalendarSyncTab({ session, login }: { session: Session; login: LoginOutcome | null }) {
  const { words } = useLanguage();
  const { data: status, error, failureReason } = useStatus();
  const { data: lessons = NO_LESSONS, error: lessonsError } = useLessons(session);
  if (status === undefined) {
    const problem = error ?? failureReason;
    return problem ? <Problem error={problem} /> : <p className="empty">{words.loading}</p>;
  }
  const timeZone = status.connected ? status.timeZone : undefined;
  const lessonTitle = (id: string) => lessons.find((lesson) => lesson.id === id)?.title;
  return (
    <div className="cards">
      {login && (status.connected || login.kind !== "connected") && <Welcome outcome={login} />}
      <div className="main">
        {timeZone !== undefined && (
          <section className="calendar">
            <h2>{words.calendar.title}</h2>
            <ErrorBoundary fallbackRender={({ error }) => <Problem error={error as Error} />}>
              <Suspense fallback={<p className="empty">{words.loading}</p>}>
                <ExternalEventsViewer timeZone={timeZone} lessons={lessons} calendarUrl={session.googleUrl} />
              </Suspense>
            </ErrorBoundary>
          </section>
        )}
        {status.logs.length > 0 && (
          <section className="activity">
            <h2>{words.activity.title}</h2>
            <SyncHistory status={status} lessonTitle={lessonTitle} />
          </section>
        )}
      </div>
      <div className="aside">
        <section>
          <div className="title">
            <h2>{words.page.google}</h2>
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
          <CalendarSyncStatus status={status} lessonTitle={lessonTitle} outdated={error !== null} />
          {/* (Of a connection that needs to be made again, the banner says so on each tab.) */}
          {!status.connected && (
            <div className="connect">
              <CalendarConnectButton status={status} />
            </div>
          )}
        </section>
        {status.connected && (
          <>
            <section>
              <h2>{words.conflicts.title}</h2>
              <ConflictList conflicts={status.conflicts} timeZone={timeZone} lessons={lessons} />
            </section>
            <section className="seldom">
              <h2>{words.settings.title}</h2>
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
  const { words } = useLanguage();
  const connect = useConnect();
  if (outcome.kind === "finish") {
    return (
      <p role="status" className="wide empty">
        {words.connect.finishing}
      </p>
    );
  }
  if (outcome.kind === "connected") {
    return (
      <p role="status" className="wide good-news">
        {words.connect.done}
      </p>
    );
  }
  return (
    <div role="alert" className="wide problem">
      <p>{refusalOf(outcome.code, words)}</p>
      {outcome.code === "other_account" && (
        <button type="button" disabled={connect.isPending} onClick={() => connect.mutate(true)}>
          {words.connect.replace}
        </button>
      )}
      <Problem error={connect.error} />
    </div>
  );
}

interface NoticesProps {
  session: Session;
  timeZone: string | undefined;
  lessonTitle: (id: string) => string | undefined;
}

/** What the host would mail to the instructor. */
function Notices({ session, timeZone, lessonTitle }: NoticesProps) {
  const { words } = useLanguage();
  const notices = useNotices(session);
  const told = (notices.data ?? []).flatMap((notice) => {
    const { id, lessonId } = notice.detail;
    const sentence = sentenceOf(notice, lessonTitle(lessonId ?? "") ?? words.aLesson, words);
    return sentence === undefined ? [] : [{ id, sentence, at: notice.receivedAt }];
  });
  if (told.length === 0 && !notices.error) return null;
  return (
    <section className="seldom">
      <h2>{words.told.title}</h2>
      <Problem error={notices.error} />
      <ul className="list">
        {told.map(({ id, sentence, at }) => (
          <li key={id}>
            <span>{sentence}</span>
            <Ago at={at} timeZone={timeZone} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a notice tells a person; nothing where it is for the host alone. */
function sentenceOf(notice: Notice, lesson: string, { told, state }: Language["words"]): string | undefined {
  switch (notice.detailType) {
    case "conflict.found":
      return told.conflictFound(lesson);
    case "conflict.cleared":
      return told.conflictCleared(lesson);
    case "event.changed_in_google":
      return told.changed(lesson, notice.detail.putBack ?? false);
    case "connection.needs_attention":
      return state.needsPermission;
    case "sync.failing":
      return state.heldUp;
    default:
      return undefined;
  }
}
