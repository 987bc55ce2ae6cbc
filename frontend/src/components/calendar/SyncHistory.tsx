import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";

import { olderLogs, type Status, type SyncLog, useCalendar } from "../../api/calendar";
import type { Words } from "../../words/en";
import { type Language, useLanguage } from "../../words/language";
import { ActionButton } from "../ActionButton";
import { Ago } from "../Ago";
import { Problem } from "../Problem";
import { did } from "./did";

type Shown = Pick<Status, "logs" | "nextCursor">;

const NOTHING: Shown = { logs: [], nextCursor: null };

interface Props {
  status: Status;
  /** The title of a lesson, if it is known. */
  lessonTitle?: ((lessonId: string) => string | undefined) | undefined;
}

/** What happened lately, the newest first, and what was before on demand. */
export function SyncHistory({ status, lessonTitle }: Props) {
  const { activity } = useLanguage().words;
  const calendar = useCalendar();
  // What was shown when older runs were asked for: they go on from there, whatever comes meanwhile, until so much has come
  // that the status no longer reaches back to it.
  const [asked, setAsked] = useState(NOTHING);
  const reaches = asked.logs.some(({ id }) => status.logs.some((log) => log.id === id));
  const shown = reaches ? asked : NOTHING;
  const older = useInfiniteQuery({
    queryKey: ["older-logs", calendar.instructorId, shown.nextCursor],
    enabled: shown.nextCursor !== null,
    initialPageParam: shown.nextCursor,
    queryFn: ({ pageParam }) => (pageParam ? olderLogs(calendar, pageParam) : { logs: [], nextCursor: null }),
    getNextPageParam: (page) => page.nextCursor,
    staleTime: Infinity,
  });
  const pages = (reaches && older.data?.pages.flatMap((page) => page.logs)) || [];
  const logs = new Map([...status.logs, ...shown.logs, ...pages].map((log) => [log.id, log]));
  // Of a run that both know the status knows the latest.
  for (const log of status.logs) logs.set(log.id, log);
  if (logs.size === 0) return <p className="empty">{activity.none}</p>;
  const more = shown.nextCursor === null ? status.nextCursor !== null : older.hasNextPage;
  const showMore = () => {
    if (shown.nextCursor === null) setAsked(status);
    else void older.fetchNextPage();
  };
  return (
    <>
      <ul className="list">
        {[...logs.values()].map((log) => (
          <Row
            key={log.id}
            log={log}
            timeZone={status.connected ? status.timeZone : undefined}
            lessonTitle={lessonTitle}
          />
        ))}
      </ul>
      {more && (
        <ActionButton pending={older.isFetching} onPress={showMore}>
          {activity.earlier}
        </ActionButton>
      )}
      <Problem error={older.error} />
    </>
  );
}

const TONES = { completed: "good", running: "busy", partial: "busy", failed: "bad" } as const;

interface RowProps {
  log: SyncLog;
  timeZone: string | undefined;
  lessonTitle: Props["lessonTitle"];
}

function Row({ log, timeZone, lessonTitle }: RowProps) {
  const language = useLanguage();
  const { words, format } = language;
  const when = format.moment(log.startedAt, timeZone);
  return (
    <li>
      <details>
        <summary>
          <span className={`headline ${TONES[log.outcome]}`}>
            <span className="mark" aria-hidden="true" />
            <span>
              {words.activity.causes[log.trigger]}: {came(log, lessonTitle, language)}
            </span>
          </span>
          <Ago at={log.startedAt} timeZone={timeZone} />
        </summary>
        <ul>
          {log.reasons.map((reason) => (
            <li key={reason}>{withTitles(reason, lessonTitle, words)}</li>
          ))}
          <li className="hint">{words.activity.cost(when, log.durationMs, log.googleCalls)}</li>
        </ul>
      </details>
    </li>
  );
}

/** What came of a run; of one that changed no event, what it says itself. */
function came(log: SyncLog, lessonTitle: Props["lessonTitle"], { words }: Language): string {
  if (log.outcome === "running") return words.activity.underWay;
  if (log.outcome === "failed") return words.activity.failed;
  const changed = did(log, words.did);
  const [first] = log.reasons;
  const said =
    changed === words.did.nothing && first !== undefined ? withTitles(first, lessonTitle, words) : changed;
  return log.outcome === "partial" ? said.replace(/\.$/, "") + words.activity.partLeft : said;
}

const ID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;

/** A sentence with the titles of lessons in place of their ids. */
export const withTitles = (sentence: string, lessonTitle: Props["lessonTitle"], words: Words): string =>
  sentence.replaceAll(ID, (id) => {
    const title = lessonTitle?.(id);
    return title === undefined ? id : words.quoted(title);
  });
