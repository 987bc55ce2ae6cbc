import type { Conflict } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import type { CalendarLesson } from "./lessons";

interface Props {
  /** The next ones. */
  conflicts: readonly Conflict[];
  /** How many there are in all. */
  count: number;
  timeZone: string | undefined;
  lessons: readonly CalendarLesson[];
}

/** The lessons that a busy event overlaps: with what, when, and for how long. They are flagged, never cancelled. */
export function ConflictList({ conflicts, count, timeZone, lessons }: Props) {
  const { words, format } = useLanguage();
  if (count === 0) return <p className="empty">{words.conflicts.none}</p>;
  return (
    <>
      <ul className="list">
        {byLesson(conflicts).map(([lessonId, pairs]) => {
          const lesson = lessons.find(({ id }) => id === lessonId);
          return (
            <li key={lessonId} className="conflict">
              <strong>{lesson?.title ?? words.aLesson}</strong>
              {lesson && <small>{format.span(lesson.startsAt, lesson.endsAt, timeZone)}</small>}
              <ul>
                {pairs.map((pair) => (
                  <li key={pair.googleEventId}>
                    {words.conflicts.overlaps} <b>{pair.title ?? words.busy}</b>
                    <small>
                      {format.span(pair.overlapStart, pair.overlapEnd, timeZone)} ·{" "}
                      {words.conflicts.inCommon(format.duration(pair.overlapStart, pair.overlapEnd))}
                    </small>
                  </li>
                ))}
              </ul>
            </li>
          );
        })}
      </ul>
      {count > conflicts.length && <p>{words.conflicts.more(count - conflicts.length)}</p>}
    </>
  );
}

/** Each lesson with its conflicts, all in the order of time. */
export function byLesson(conflicts: readonly Conflict[]): [string, Conflict[]][] {
  const groups = new Map<string, Conflict[]>();
  const sorted = conflicts.toSorted((one, other) => one.overlapStart.localeCompare(other.overlapStart));
  for (const pair of sorted) groups.set(pair.lessonId, [...(groups.get(pair.lessonId) ?? []), pair]);
  return [...groups];
}
