import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";

import { olderLogs, type Status, type SyncLog, useCalendar } from "../../api/calendar";
import { count, moment, words } from "../../format";
import { Pill } from "../Pill";
import { Problem } from "../Problem";
import { did } from "./CalendarSyncStatus";

type Shown = Pick<Status, "logs" | "nextCursor">;

const NOTHING: Shown = { logs: [], nextCursor: null };

/** The last runs, the newest first, and older ones on demand. */
export function SyncHistory({ status }: { status: Status }) {
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
  if (logs.size === 0) return <p className="empty">No run did anything yet.</p>;
  const more = shown.nextCursor === null ? status.nextCursor !== null : older.hasNextPage;
  const showMore = () => {
    if (shown.nextCursor === null) setAsked(status);
    else void older.fetchNextPage();
  };
  return (
    <>
      <ul className="list">
        {[...logs.values()].map((log) => (
          <Row key={log.id} log={log} timeZone={status.connected ? status.timeZone : undefined} />
        ))}
      </ul>
      {more && (
        <button type="button" disabled={older.isFetching} onClick={showMore}>
          Older runs
        </button>
      )}
      <Problem error={older.error} />
    </>
  );
}

const UNFINISHED: Partial<Record<SyncLog["outcome"], string>> = {
  running: "under way",
  failed: "did not succeed",
};

function Row({ log, timeZone }: { log: SyncLog; timeZone: string | undefined }) {
  return (
    <li>
      <Pill state={log.outcome} />
      <details>
        <summary>
          {words(log.trigger)}: {UNFINISHED[log.outcome] ?? did(log)}
          <small>
            {moment(log.startedAt, timeZone)}, {log.durationMs} ms, {count(log.googleCalls, "call")} to Google
          </small>
        </summary>
        {log.reasons.length > 0 ? (
          <ul>
            {log.reasons.map((reason) => (
              <li key={reason}>{reason}</li>
            ))}
          </ul>
        ) : (
          <p>There is no more to tell.</p>
        )}
      </details>
    </li>
  );
}
