import {
  CalendarSyncProvider,
  CalendarSyncTab,
  ConnectionBanner,
  useCalendarStatus,
  useLoginOutcome,
} from "@calendar-sync/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useState } from "react";

import { type Lesson, useLessons } from "./lessons";
import { Notices } from "./Notices";
import { Problem } from "./Problem";
import {
  ADMINISTRATOR,
  INSTRUCTORS,
  nameOf,
  remember,
  remembered,
  type Session,
  sessionOf,
  tokenOf,
} from "./session";
import { locale, words } from "./words";

// Who looks at the calendar loads neither the other tab nor what is the administrator's.
const Administration = lazy(() => import("./Administration"));
const LessonsTab = lazy(() => import("./LessonsTab"));

/** The page of an instructor, with two tabs: lessons, and the calendar with which they are synced; or that of the
 * administrator, with the connected calendars of all. */
export function Scheduling() {
  const [who, setWho] = useState(remembered);
  const queries = useQueryClient();
  const session = useQuery(sessionOf(who));
  const administers = who === ADMINISTRATOR;
  return (
    <div className="calendar-sync page" data-theme="system">
      <header>
        <h1>{words.title}</h1>
        <label>
          {words.signedInAs}{" "}
          <select
            value={who}
            onChange={({ target }) => {
              remember(target.value);
              setWho(target.value);
            }}
          >
            {INSTRUCTORS.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
            <option value={ADMINISTRATOR}>{words.administrator}</option>
          </select>
        </label>
      </header>
      <main>
        <Problem error={session.error} />
        <CalendarSyncProvider
          apiUrl={import.meta.env.VITE_API_URL ?? ""}
          {...(administers ? { viewer: "administrator" } : { instructorId: who })}
          getToken={(refused) => tokenOf(queries, who, refused)}
          theme="system"
          locale={locale}
        >
          {administers ? (
            <Suspense>
              <Administration />
            </Suspense>
          ) : (
            session.data && <Tabs key={who} session={session.data} />
          )}
        </CalendarSyncProvider>
      </main>
    </div>
  );
}

const NO_LESSONS: readonly Lesson[] = [];

const TABS = ["lessons", "calendar"] as const;
type Tab = (typeof TABS)[number];

/** The tab that the page's address names. */
const addressed = (): Tab =>
  new URLSearchParams(window.location.search).get("tab") === "calendar" ? "calendar" : "lessons";

function Tabs({ session }: { session: Session }) {
  const login = useLoginOutcome();
  const [shown, setShown] = useState<Tab>(login ? "calendar" : addressed);
  useEffect(() => {
    const follow = () => setShown(addressed());
    window.addEventListener("popstate", follow);
    return () => window.removeEventListener("popstate", follow);
  }, []);
  const conflicts = useCalendarStatus()?.counts.conflicts ?? 0;
  const choose = (tab: Tab) => {
    if (tab !== shown) {
      const address = new URL(window.location.href);
      address.searchParams.set("tab", tab);
      window.history.pushState(null, "", address);
      setShown(tab);
    }
    document.getElementById(`tab-${tab}`)?.focus();
  };
  return (
    <>
      <div className="tabs" role="tablist" aria-label={words.title}>
        {TABS.map((tab) => (
          <button
            key={tab}
            id={`tab-${tab}`}
            type="button"
            role="tab"
            aria-selected={tab === shown}
            aria-controls="panel"
            tabIndex={tab === shown ? 0 : -1}
            onClick={() => choose(tab)}
            onKeyDown={({ key }) => {
              if (key === "ArrowLeft" || key === "ArrowRight")
                choose(shown === "lessons" ? "calendar" : "lessons");
            }}
          >
            {tab === "lessons" ? words.lessons.title : words.sync}
            {tab === "calendar" && conflicts > 0 && (
              <span className="badge" title={words.conflicts(conflicts)}>
                {conflicts}
              </span>
            )}
          </button>
        ))}
      </div>
      {shown === "lessons" && <ConnectionBanner />}
      <div role="tabpanel" id="panel" aria-labelledby={`tab-${shown}`}>
        {shown === "lessons" ? (
          <Suspense>
            <LessonsTab session={session} />
          </Suspense>
        ) : (
          <CalendarTab session={session} />
        )}
      </div>
    </>
  );
}

function CalendarTab({ session }: { session: Session }) {
  const { data: lessons = NO_LESSONS, error } = useLessons(session);
  return (
    <>
      <Problem error={error} />
      <CalendarSyncTab lessons={lessons} calendarUrl={session.googleUrl} personName={nameOf}>
        <Notices session={session} lessonTitle={(id) => lessons.find((lesson) => lesson.id === id)?.title} />
      </CalendarSyncTab>
    </>
  );
}
