import type { Conflict } from "../../api/calendar";
import { span } from "../../format";

interface Props {
  conflicts: readonly Conflict[];
  timeZone: string | undefined;
  lessonTitle: (lessonId: string) => string | undefined;
}

/** The lessons that a busy event overlaps, and when. They are flagged, never cancelled. */
export function ConflictList({ conflicts, timeZone, lessonTitle }: Props) {
  if (conflicts.length === 0) return <p className="empty">No lesson overlaps.</p>;
  return (
    <ul className="list">
      {conflicts.map((pair) => (
        <li key={`${pair.lessonId} ${pair.googleEventId} ${pair.occurrenceStart}`}>
          <strong>{lessonTitle(pair.lessonId) ?? "A lesson"}</strong>
          <small>{span(pair.overlapStart, pair.overlapEnd, timeZone)}</small>
        </li>
      ))}
    </ul>
  );
}
