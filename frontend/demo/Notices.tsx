import { type Notice, useNotices } from "./lessons";
import { Problem } from "./Problem";
import type { Session } from "./session";
import { format, words } from "./words";

interface Props {
  session: Session;
  lessonTitle: (id: string) => string | undefined;
}

/** What the host would mail to the instructor. */
export function Notices({ session, lessonTitle }: Props) {
  const notices = useNotices(session);
  const titleOf = (id: string | undefined) => lessonTitle(id ?? "") ?? words.aLesson;
  const told = (notices.data ?? []).flatMap((notice) =>
    sentences(notice, titleOf).map((sentence, index) => ({
      id: `${notice.detail.id} ${index}`,
      sentence,
      at: notice.receivedAt,
    })),
  );
  if (told.length === 0 && !notices.error) return null;
  return (
    <section className="seldom">
      <h2>{words.told.title}</h2>
      <Problem error={notices.error} />
      <ul className="list">
        {told.map(({ id, sentence, at }) => (
          <li key={id}>
            <span>{sentence}</span>
            <small title={format.moment(at)}>{format.ago(at)}</small>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a notice tells a person; nothing where it is for the host alone. */
function sentences(notice: Notice, titleOf: (lessonId: string | undefined) => string): string[] {
  const { told } = words;
  const { lessonId, putBack, conflicts } = notice.detail;
  switch (notice.detailType) {
    case "conflicts.changed":
      // Of what a person decided themself nothing is to be told to them.
      return (conflicts ?? []).flatMap(({ change, lessonId }) => {
        if (change === "found") return [told.conflictFound(titleOf(lessonId))];
        return change === "cleared" ? [told.conflictCleared(titleOf(lessonId))] : [];
      });
    case "event.changed_in_google":
      return [told.changed(titleOf(lessonId), putBack ?? false)];
    case "connection.needs_attention":
      return [told.needsPermission];
    case "sync.failing":
      return [told.heldUp];
    default:
      return [];
  }
}
