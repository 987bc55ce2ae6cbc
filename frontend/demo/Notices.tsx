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
  const told = (notices.data ?? []).flatMap((notice) => {
    const { id, lessonId } = notice.detail;
    const sentence = sentenceOf(notice, lessonTitle(lessonId ?? "") ?? words.aLesson);
    return sentence === undefined ? [] : [{ id, sentence, at: notice.receivedAt }];
  });
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
function sentenceOf(notice: Notice, lesson: string): string | undefined {
  const { told } = words;
  switch (notice.detailType) {
    case "conflict.found":
      return told.conflictFound(lesson);
    case "conflict.cleared":
      return told.conflictCleared(lesson);
    case "event.changed_in_google":
      return told.changed(lesson, notice.detail.putBack ?? false);
    case "connection.needs_attention":
      return told.needsPermission;
    case "sync.failing":
      return told.heldUp;
    default:
      return undefined;
  }
}
