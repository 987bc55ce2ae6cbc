import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";

import { CalendarProvider, useStatus } from "../api/calendar";
import { createApi } from "../api/client";
import { ConnectionBanner } from "../components/calendar/ConnectionBanner";
import { Problem } from "../components/Problem";
import { INSTRUCTORS, remember, remembered, type Session, useSession } from "../host/session";
import { useLanguage } from "../words/language";
import { CalendarSyncTab } from "./CalendarSyncTab";
import { LessonsTab } from "./LessonsTab";
import { type LoginOutcome, takeLoginOutcome } from "./loginOutcome";
import { useLogin } from "./useLogin";

/** The page of an instructor, with two tabs: lessons, and the calendar with which they are synced. */
export function Scheduling() {
  const [instructorId, setInstructorId] = useState(remembered);
  const [outcome, setOutcome] = useState(takeLoginOutcome);
  const { words } = useLanguage();
  const session = useSession(instructorId);
  return (
    <>
      <header>
        <h1>{words.page.title}</h1>
        <label>
          {words.page.signedInAs}{" "}
          <select
            value={instructorId}
            onChange={({ target }) => {
              remember(target.value);
              setInstructorId(target.value);
              // The data of the previous session must not be shown to the next.
              setOutcome(null);
            }}
          >
            {INSTRUCTORS.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </select>
        </label>
      </header>
      <main>
        <Problem error={session.error} />
        {session.data && (
          <Calendar key={session.data.instructorId} session={session.data} outcome={outcome} />
        )}
      </main>
    </>
  );
}

const TABS = ["lessons", "calendar"] as const;
type Tab = (typeof TABS)[number];

/** The tab that the page's address names. */
const addressed = (): Tab =>
  new URLSearchParams(window.location.search).get("tab") === "calendar" ? "calendar" : "lessons";

interface Props {
  session: Session;
  outcome: LoginOutcome | null;
}

function Calendar({ session, outcome }: Props) {
  const { token, instructorId } = session;
  const queries = useQueryClient();
  const calendar = useMemo(() => {
    const queryKey = ["session", instructorId];
    // A call that is repeated carries the token of the meantime.
    const newest = () => queries.getQueryData<Session>(queryKey)?.token ?? token;
    const signInAgain = () => void queries.invalidateQueries({ queryKey }, { cancelRefetch: false });
    return { api: createApi(import.meta.env.VITE_API_URL ?? "", newest, signInAgain), instructorId };
  }, [token, instructorId, queries]);
  return (
    <CalendarProvider value={calendar}>
      <Tabs session={session} outcome={outcome} />
    </CalendarProvider>
  );
}

function Tabs({ session, outcome }: Props) {
  const [shown, setShown] = useState<Tab>(outcome ? "calendar" : addressed);
  useEffect(() => {
    const follow = () => setShown(addressed());
    window.addEventListener("popstate", follow);
    return () => window.removeEventListener("popstate", follow);
  }, []);
  const { words } = useLanguage();
  const login = useLogin(outcome);
  const conflicts = useStatus().data?.counts.conflicts ?? 0;
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
      <div className="tabs" role="tablist" aria-label={words.page.title}>
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
            {tab === "lessons" ? words.lessons.title : words.page.sync}
            {tab === "calendar" && conflicts > 0 && (
              <span className="badge" title={words.conflicts.count(conflicts)}>
                {conflicts}
              </span>
            )}
          </button>
        ))}
      </div>
      <ConnectionBanner />
      <div role="tabpanel" id="panel" aria-labelledby={`tab-${shown}`}>
        {shown === "lessons" ? (
          <LessonsTab session={session} />
        ) : (
          <CalendarSyncTab session={session} login={login} />
        )}
      </div>
    </>
  );
}
