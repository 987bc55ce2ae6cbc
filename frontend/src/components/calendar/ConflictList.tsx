import { useEffect, useRef } from "react";

import { type Conflict, useDecideConflict } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { ActionButton } from "../ActionButton";
import { Ago } from "../Ago";
import { Problem } from "../Problem";
import type { CalendarLesson } from "./lessons";

interface Conflicts {
  /** The next ones. */
  next: readonly Conflict[];
  /** How many there are in all. */
  count: number;
}

interface Props {
  live: Conflicts;
  /** Those of which a person said that they are fine. */
  ignored: Conflicts;
  timeZone: string | undefined;
  lessons: readonly CalendarLesson[];
}

/** The lessons that a busy event overlaps: with what, when, and for how long. They are flagged, never cancelled, until a
 * person says that it is fine. */
export function ConflictList({ live, ignored, timeZone, lessons }: Props) {
  const { words } = useLanguage();
  const list = useRef<HTMLDivElement>(null);
  const decided = useRef<Decided>(null);
  // What is decided goes to the other list, and its button with it: the focus follows, or it would be lost.
  useEffect(() => {
    if (decided.current === null) return;
    const { id, state } = decided.current;
    if (!(state === "live" ? live : ignored).next.some((pair) => pair.id === id)) return;
    decided.current = null;
    if (document.activeElement !== document.body) return;
    const place = state === "live" ? `[data-conflict="${id}"] button` : ".ignored > summary";
    (list.current?.querySelector<HTMLElement>(place) ?? list.current)?.focus();
  }, [live, ignored]);
  const group = (conflicts: Conflicts) => (
    <Lessons
      conflicts={conflicts}
      timeZone={timeZone}
      lessons={lessons}
      onDecide={(decision) => {
        decided.current = decision;
      }}
    />
  );
  return (
    <div ref={list} tabIndex={-1} className="conflicts">
      {live.count === 0 ? <p className="empty">{words.conflicts.none(ignored.count > 0)}</p> : group(live)}
      {ignored.count > 0 && (
        <details className="more ignored">
          <summary>{words.conflicts.ignored(ignored.count)}</summary>
          {group(ignored)}
        </details>
      )}
    </div>
  );
}

/** What was decided last and does not show yet. */
type Decided = Pick<Conflict, "id" | "state"> | null;

interface LessonsProps {
  conflicts: Conflicts;
  timeZone: string | undefined;
  lessons: readonly CalendarLesson[];
  onDecide: (decided: Decided) => void;
}

function Lessons({ conflicts: { next, count }, timeZone, lessons, onDecide }: LessonsProps) {
  const { words, format } = useLanguage();
  return (
    <>
      <ul className="list">
        {byLesson(next).map(([lessonId, pairs]) => {
          const lesson = lessons.find(({ id }) => id === lessonId);
          return (
            <li key={lessonId} className="conflict">
              <strong>{lesson?.title ?? words.aLesson}</strong>
              {lesson && <small>{format.span(lesson.startsAt, lesson.endsAt, timeZone)}</small>}
              <ul>
                {pairs.map((pair) => (
                  <Pair
                    key={pair.id}
                    pair={pair}
                    lessonTitle={lesson?.title ?? words.aLesson}
                    timeZone={timeZone}
                    onDecide={onDecide}
                  />
                ))}
              </ul>
            </li>
          );
        })}
      </ul>
      {count > next.length && <p>{words.conflicts.more(count - next.length)}</p>}
    </>
  );
}

interface PairProps {
  pair: Conflict;
  lessonTitle: string;
  timeZone: string | undefined;
  onDecide: (decided: Decided) => void;
}

/** What a lesson overlaps, who said that it is fine, if someone did, and the button to say so or to take it back. */
function Pair({ pair, lessonTitle, timeZone, onDecide }: PairProps) {
  const { words, format } = useLanguage();
  const say = words.conflicts;
  const decide = useDecideConflict(pair.id);
  const title = pair.title === null ? words.busy : pair.title || words.noTitle;
  const other = pair.state === "live" ? "ignored" : "live";
  return (
    <li data-conflict={pair.id}>
      {say.overlaps} <b>{title}</b>
      <small>
        {format.span(pair.overlapStart, pair.overlapEnd, timeZone)} ·{" "}
        {say.inCommon(format.duration(pair.overlapStart, pair.overlapEnd))}
      </small>
      {pair.ignored && (
        <small>
          {say.by[pair.ignored.role]} · <Ago at={pair.ignored.at} timeZone={timeZone} />
        </small>
      )}
      <ActionButton
        pending={decide.isPending}
        label={`${say.decide[other]}: ${lessonTitle}, ${title}`}
        onPress={() => {
          onDecide({ id: pair.id, state: other });
          decide.mutate(other, { onError: () => onDecide(null) });
        }}
      >
        {say.decide[other]}
      </ActionButton>
      <Problem error={decide.error} />
    </li>
  );
}

/** Each lesson with its conflicts, all in the order of time. */
export function byLesson(conflicts: readonly Conflict[]): [string, Conflict[]][] {
  const groups = new Map<string, Conflict[]>();
  const sorted = conflicts.toSorted((one, other) => one.overlapStart.localeCompare(other.overlapStart));
  for (const pair of sorted) groups.set(pair.lessonId, [...(groups.get(pair.lessonId) ?? []), pair]);
  return [...groups];
}
