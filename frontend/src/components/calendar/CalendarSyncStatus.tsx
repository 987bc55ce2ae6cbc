import { type Connection, type Status, useSyncNow } from "../../api/calendar";
import { count, moment, span } from "../../format";
import { Pill } from "../Pill";
import { Problem } from "../Problem";

/** The states in which a sync may be tried. */
const SYNCED: Status["state"][] = ["active", "failing", "client_refused"];

/** Whether the connection works and why not, when it was synced last, what could not be synced; and a button to sync now. */
export function CalendarSyncStatus({ status }: { status: Status }) {
  return (
    <div className="sync-status">
      <p className="row">
        <Pill state={status.state} />
        {status.connected && <strong>{status.googleAccount}</strong>}
      </p>
      <p>
        {status.state === "not_connected"
          ? "Once connected, lessons appear in the calendar, and what is busy there is known here."
          : status.description}
      </p>
      {status.connected && <Facts connection={status} />}
      <Failures status={status} />
      {status.connected && <SyncNow disabled={!SYNCED.includes(status.state)} />}
    </div>
  );
}

function Facts({ connection }: { connection: Connection }) {
  const { counts, push, timeZone } = connection;
  return (
    <dl className="facts">
      <dt>Times</dt>
      <dd>as in {timeZone}</dd>
      <dt>Last sync</dt>
      <dd>{moment(connection.lastSyncedAt, timeZone)}</dd>
      <dt>Next look</dt>
      <dd>{moment(connection.nextSyncAt, timeZone)}</dd>
      <dt>Push</dt>
      <dd>
        <Pill state={push.state} /> {push.description}
      </dd>
      <dt>Lessons</dt>
      <dd>{lessons(connection)}</dd>
      <dt>Conflicts</dt>
      <dd>{counts.conflicts === 0 ? "None" : count(counts.conflicts, "overlap")}</dd>
    </dl>
  );
}

/** The counts of lessons, up to the API's maximum. */
function lessons({ counts, settings }: Connection): string {
  const atLeast = (number: number, most: number, one: string) =>
    number < most ? count(number, one) : `${most} ${one}s or more`;
  const said: string[] = [];
  if (counts.lessonsWaiting > 0) said.push(`${atLeast(counts.lessonsWaiting, 1000, "change")} on the way`);
  if (counts.lessonsFailed > 0)
    said.push(`${atLeast(counts.lessonsFailed, 100, "lesson")} could not be synced`);
  if (said.length > 0) return said.join(", ");
  return settings.syncDirection === "from_google" ? "Not written to Google" : "All are in Google";
}

function Failures({ status }: { status: Status }) {
  if (status.failures.length === 0) return null;
  const zone = status.connected ? status.timeZone : undefined;
  return (
    <ul className="list" aria-label="Lessons that could not be synced">
      {status.failures.map((lesson) => (
        <li key={lesson.lessonId}>
          <strong>{span(lesson.eventStart, lesson.eventEnd, zone)}</strong>
          <small>{lesson.reason}</small>
        </li>
      ))}
    </ul>
  );
}

function SyncNow({ disabled }: { disabled: boolean }) {
  const sync = useSyncNow();
  return (
    <div>
      <button type="button" disabled={disabled || sync.isPending} onClick={() => sync.mutate(undefined)}>
        {sync.isPending ? "Syncing …" : "Sync now"}
      </button>{" "}
      <span role="status">
        {sync.data &&
          (sync.data.outcome === "running"
            ? "The sync goes on in the background."
            : sync.data.outcome === "partial"
              ? "A part is still to be done; the history says what."
              : `Synced: ${did(sync.data)}.`)}
      </span>
      <Problem error={sync.error} />
    </div>
  );
}

/** What a run changed, in words. */
export function did(counts: {
  eventsSynced: number;
  eventsCreated: number;
  eventsUpdated: number;
  eventsDeleted: number;
  conflictsDetected: number;
}): string {
  const said = [
    [counts.eventsCreated, "created"],
    [counts.eventsUpdated, "updated"],
    [counts.eventsDeleted, "deleted"],
  ] as const;
  const parts = said
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${count(number, "event")} ${what}`);
  if (counts.conflictsDetected > 0) parts.push(count(counts.conflictsDetected, "new conflict"));
  if (parts.length === 0 && counts.eventsSynced > 0)
    parts.push(`${count(counts.eventsSynced, "event")} taken in`);
  return parts.join(", ") || "nothing was new";
}
