import { type Connection, type Status, useStatus } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Problem } from "../Problem";
import { Scope } from "../Scope";
import { Skeleton } from "../Skeleton";
import { useNow } from "../useNow";
import { useOnline } from "../useOnline";
import { type Headline, headline, offline } from "./headline";
import { type CalendarLesson, titles } from "./lessons";
import { SyncNow } from "./SyncNow";

/** The states in which a sync may be tried; where it is switched off, it is a switch away. */
const SYNCED: Status["state"][] = ["active", "failing", "client_refused"];
const SHOWN: Status["state"][] = [...SYNCED, "switched_off"];

interface Props {
  /** The host's lessons, for their titles. */
  lessons?: readonly CalendarLesson[] | undefined;
}

/** Whether the calendar is up to date and why not, what could not be synced, and a button to sync now. What only support
 * needs is under "Details". */
export function CalendarSyncStatus({ lessons }: Props) {
  return (
    <Scope>
      <SyncStatus lessons={lessons} />
    </Scope>
  );
}

function SyncStatus({ lessons = [] }: Props) {
  const language = useLanguage();
  const { data: status, error, dataUpdatedAt } = useStatus();
  const now = useNow();
  const online = useOnline();
  if (status === undefined) {
    if (!online) return <Offline knownAt={dataUpdatedAt} />;
    return error ? <Problem error={error} /> : <Skeleton className="status" lines={3} />;
  }
  const known = headline(status, language, now);
  // While the API does not answer nothing is shown as well.
  const tone = error ? "quiet" : known.tone;
  return (
    <div className="sync-status">
      <Problem error={online ? error : null} />
      {online ? <Head {...known} tone={tone} /> : <Offline knownAt={dataUpdatedAt} />}
      <Failures status={status} lessonTitle={titles(lessons)} />
      {status.connected && SHOWN.includes(status.state) && (
        <SyncNow settings={status.settings} disabled={!SYNCED.includes(status.state)} />
      )}
      {status.connected && <Details connection={status} />}
    </div>
  );
}

function Offline({ knownAt }: { knownAt: number }) {
  return (
    <div role="alert">
      <Head {...offline(useLanguage(), knownAt)} />
    </div>
  );
}

function Head({ tone, title, hint }: Headline) {
  return (
    <>
      <p className={`headline ${tone}`}>
        <span className="mark" aria-hidden="true" />
        <strong>{title}</strong>
      </p>
      {hint !== "" && <p className="hint">{hint}</p>}
    </>
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

interface FailuresProps {
  status: Status;
  lessonTitle: (lessonId: string) => string | undefined;
}

function Failures({ status, lessonTitle }: FailuresProps) {
  const { words, format } = useLanguage();
  if (status.failures.length === 0) return null;
  const zone = status.connected ? status.timeZone : undefined;
  return (
    <ul className="list" aria-label={words.details.failedLessons}>
      {status.failures.map((lesson) => (
        <li key={lesson.lessonId}>
          <strong>{lessonTitle(lesson.lessonId) ?? words.aLesson}</strong>
          <small>{format.span(lesson.eventStart, lesson.eventEnd, zone)}</small>
          <Why reason={lesson.reason ?? ""} />
        </li>
      ))}
    </ul>
  );
}

/** Why a lesson is not as it should be: Google's own words for a refusal help only those who know its API. */
function Why({ reason }: { reason: string }) {
  const { details } = useLanguage().words;
  if (!reason.startsWith("Google refused with ")) return <p className="hint">{reason}</p>;
  return (
    <div>
      <p className="hint">{details.refusedByGoogle}</p>
      <details className="technical">
        <summary>{details.technical}</summary>
        {reason}
      </details>
    </div>
  );
}
