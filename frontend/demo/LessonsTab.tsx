import { type Lesson, type LessonChange, useChangeLesson, useLessons } from "./lessons";
import { Pill } from "./Pill";
import { Problem } from "./Problem";
import type { Session } from "./session";
import { format, words as all } from "./words";

const { lessons: words } = all;

/** The lessons of the host application, with the sync's columns. */
export default function LessonsTab({ session }: { session: Session }) {
  const lessons = useLessons(session);
  const change = useChangeLesson(session);
  return (
    <section>
      <h2>{words.title}</h2>
      <Problem error={lessons.error ?? change.error} />
      {lessons.data?.length === 0 && <p className="empty">{words.none}</p>}
      <ul className="list">
        {lessons.data?.map((lesson) => (
          <Row
            key={lesson.id}
            lesson={lesson}
            onChange={(made) => {
              // One change at a time; a button that is disabled meanwhile would lose the focus.
              if (!change.isPending) change.mutate({ id: lesson.id, change: made });
            }}
          />
        ))}
      </ul>
      <NewLesson
        pending={change.isPending}
        onAdd={(added, onSuccess) => change.mutate({ change: added }, { onSuccess })}
      />
    </section>
  );
}

const HOUR_MS = 3_600_000;

const later = (at: string, hours: number): string => new Date(Date.parse(at) + hours * HOUR_MS).toISOString();

interface RowProps {
  lesson: Lesson;
  onChange: (change: LessonChange | "remove") => void;
}

function Row({ lesson, onChange }: RowProps) {
  const live = lesson.status === "scheduled";
  const move = (hours: number) =>
    onChange({ startsAt: later(lesson.startsAt, hours), endsAt: later(lesson.endsAt, hours) });
  return (
    <li className={live ? "" : "cancelled"}>
      <strong>{lesson.title}</strong>
      <small title={lesson.timeZone}>{format.span(lesson.startsAt, lesson.endsAt, lesson.timeZone)}</small>
      {lesson.hasConflict && <Pill state="conflict" />}
      {lesson.calendarSyncStatus && <Pill state={lesson.calendarSyncStatus} />}
      <fieldset className="row actions" aria-label={lesson.title}>
        {live && (
          <>
            <button type="button" title={words.earlier} onClick={() => move(-1)}>
              −1 h
            </button>
            <button type="button" title={words.later} onClick={() => move(1)}>
              +1 h
            </button>
          </>
        )}
        <button type="button" onClick={() => onChange({ status: live ? "cancelled" : "scheduled" })}>
          {live ? words.cancel : words.restore}
        </button>
        <button type="button" onClick={() => onChange("remove")}>
          {words.remove}
        </button>
      </fieldset>
    </li>
  );
}

/** Tomorrow at nine, in the format of the browser's input. */
function tomorrow(): string {
  const now = new Date();
  const day = new Date(now.getTime() + 24 * HOUR_MS - now.getTimezoneOffset() * 60_000);
  return `${day.toISOString().slice(0, 10)}T09:00`;
}

interface NewLessonProps {
  pending: boolean;
  onAdd: (lesson: LessonChange, done: () => void) => void;
}

function NewLesson({ pending, onAdd }: NewLessonProps) {
  return (
    <form
      className="row"
      onSubmit={(submitted) => {
        submitted.preventDefault();
        if (pending) return;
        const form = submitted.currentTarget;
        const filledIn = new FormData(form);
        const field = (name: string) => filledIn.get(name) as string;
        const startsAt = new Date(field("start")).toISOString();
        const lesson = {
          title: field("title"),
          startsAt,
          endsAt: later(startsAt, Number(field("minutes")) / 60),
          timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone,
        };
        onAdd(lesson, () => form.reset());
      }}
    >
      <input name="title" aria-label={words.name} placeholder={words.new} required maxLength={200} />
      <input name="start" aria-label={words.start} type="datetime-local" required defaultValue={tomorrow()} />
      <select name="minutes" aria-label={words.length} defaultValue="60">
        <option value="45">45 min</option>
        <option value="60">60 min</option>
        <option value="90">90 min</option>
      </select>
      <button className="primary" aria-disabled={pending || undefined}>
        {words.add}
      </button>
    </form>
  );
}
