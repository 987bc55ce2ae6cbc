import type { Connection, Status } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { useNow } from "../useNow";
import { headline } from "./headline";
import { SyncNow } from "./SyncNow";

/** The states in which a sync may be tried. */
const SYNCED: Status["state"][] = ["active", "failing", "client_refused"];

interface Props {
  status: Status;
  /** The title of a lesson, if it is known. */
  lessonTitle?: ((lessonId: string) => string | undefined) | undefined;
  /** How things stand now is not known: nothing is shown as well. */
  outdated?: boolean;
}

/** Whether the calendar is up to date and why not, what could not be synced, and a button to sync now. What only support
 * needs is under "Details". */
export function CalendarSyncStatus({ status, lessonTitle, outdated = false }: Props) {
  const { tone, title, hint } = headline(status, useLanguage(), useNow());
  return (
    <div className="sync-status">
      <p className={`headline ${outdated ? "quiet" : tone}`}>
        <span className="mark" aria-hidden="true" />
        <strong>{title}</strong>
      </p>
      {hint !== "" && <p className="hint">{hint}</p>}
      <Failures status={status} lessonTitle={lessonTitle} />
      {status.connected && (
        <SyncNow direction={status.settings.syncDirection} disabled={!SYNCED.includes(status.state)} />
      )}
      {status.connected && <Details connection={status} />}
    </div>
  );
}

function Details({ connection }: { connection: Connection }) {
  const { words, format } = useLanguage();
  const { push, timeZone } = connection;
  const { details } = words;
  return (
    <details className="more">
      <summary>{details.title}</summary>
      <dl>
        <dt>{details.connected}</dt>
        <dd>{format.moment(connection.connectedAt, timeZone)}</dd>
        <dt>{details.lastSync}</dt>
        <dd>{format.moment(connection.lastSyncedAt, timeZone)}</dd>
        <dt>{details.nextCheck}</dt>
        <dd>{format.moment(connection.nextSyncAt, timeZone)}</dd>
        <dt>{details.push}</dt>
        <dd>{words.push[push.state] ?? push.description}</dd>
        <dt>{details.timeZone}</dt>
        <dd>{timeZone}</dd>
      </dl>
    </details>
  );
}

function Failures({ status, lessonTitle }: Props) {
  const { words, format } = useLanguage();
  if (status.failures.length === 0) return null;
  const zone = status.connected ? status.timeZone : undefined;
  return (
    <ul className="list" aria-label={words.details.failedLessons}>
      {status.failures.map((lesson) => (
        <li key={lesson.lessonId}>
          <strong>{lessonTitle?.(lesson.lessonId) ?? words.aLesson}</strong>
          <small>{format.span(lesson.eventStart, lesson.eventEnd, zone)}</small>
          <p className="hint">{lesson.reason}</p>
        </li>
      ))}
    </ul>
  );
}
