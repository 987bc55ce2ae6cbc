import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { olderLogs, type PersonAct, type Status, type SyncLog, useCalendar } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { ActionButton } from "../ActionButton";
import { Ago } from "../Ago";
import { Problem } from "../Problem";
import { inWords, isNews, type LessonTitle, summary } from "./activity";
import { called, type PersonName, sentence } from "./acts";

type Shown = Pick<Status, "logs" | "nextCursor">;

const NOTHING: Shown = { logs: [], nextCursor: null };

interface Props {
  status: Status;
  /** The title of a lesson, if it is known. */
  lessonTitle?: LessonTitle | undefined;
  /** The name of a person, if it is known. */
  personName?: PersonName | undefined;
}

/** What happened lately, the newest first, and what was before on demand. */
export function SyncHistory({ status, lessonTitle, personName }: Props) {
  const { activity } = useLanguage().words;
  const calendar = useCalendar();
  // What was shown when older runs were asked for, and these: they go on from there, whatever comes meanwhile, until so much
  // has come that the status no longer reaches back to it.
  const [asked, setAsked] = useState(NOTHING);
  const reaches = asked.logs.some(({ id }) => status.logs.some((log) => log.id === id));
  const shown = reaches ? asked : status;
  const older = useMutation({
    mutationFn: async (cursor: string) => {
      const page = await olderLogs(calendar, cursor);
      setAsked({ logs: [...shown.logs, ...page.logs], nextCursor: page.nextCursor });
    },
  });
  const { nextCursor } = shown;
  const logs = new Map([...status.logs, ...shown.logs].map((log) => [log.id, log]));
  // Of a run that both know the status knows the latest.
  for (const log of status.logs) logs.set(log.id, log);
  const news = [...logs.values()].filter(isNews);
  const timeZone = status.connected ? status.timeZone : undefined;
  return (
    <>
      {news.length === 0 && <p className="empty">{activity.none}</p>}
      <ul className="list">
        {news.map((log) =>
          log.kind === "act" ? (
            <Deed key={log.id} act={log} timeZone={timeZone} personName={personName} />
          ) : (
            <Row
              key={log.id}
              log={log}
              timeZone={timeZone}
              lessonTitle={lessonTitle}
              personName={personName}
            />
          ),
        )}
      </ul>
      {nextCursor !== null && (
        <ActionButton pending={older.isPending} onPress={() => older.mutate(nextCursor)}>
          {activity.earlier}
        </ActionButton>
      )}
      <Problem error={older.error} />
    </>
  );
}

/** A run that went as it should is no more than said. */
const TONES = { completed: "", running: "busy", partial: "busy", failed: "bad" } as const;

interface RowProps {
  log: SyncLog;
  timeZone: string | undefined;
  lessonTitle: Props["lessonTitle"];
  personName: Props["personName"];
}

function Row({ log, timeZone, lessonTitle, personName }: RowProps) {
  const language = useLanguage();
  const { viewer } = useCalendar();
  const by = log.person ? called(log.person, viewer, personName) : undefined;
  return (
    <li>
      <details>
        <summary>
          <span className={`headline ${TONES[log.outcome]}`}>
            <span className="mark" aria-hidden="true" />
            <span>{summary(log, by, lessonTitle, timeZone, language)}</span>
          </span>
          <Ago at={log.startedAt} timeZone={timeZone} />
        </summary>
        <ul>
          {log.reasons.map((reason) => (
            <li key={reason}>{inWords(reason, lessonTitle, timeZone, language)}</li>
          ))}
        </ul>
        <Technical log={log} timeZone={timeZone} />
      </details>
    </li>
  );
}

interface DeedProps {
  act: PersonAct;
  timeZone: string | undefined;
  personName: Props["personName"];
}

/** What a person did. */
function Deed({ act, timeZone, personName }: DeedProps) {
  const { words } = useLanguage();
  const { viewer } = useCalendar();
  return (
    <li>
      <div className="deed">
        <span className="headline">
          <span className="mark" aria-hidden="true" />
          <span>{sentence(act.act, called(act.person, viewer, personName), words)}</span>
        </span>
        <Ago at={act.at} timeZone={timeZone} />
      </div>
    </li>
  );
}

/** What support asks for. */
function Technical({ log, timeZone }: Pick<RowProps, "log" | "timeZone">) {
  const { words, format } = useLanguage();
  const when = format.moment(log.startedAt, timeZone);
  return (
    <details className="technical">
      <summary>{words.details.technical}</summary>
      <p>{words.activity.cost(when, log.durationMs, log.googleCalls)}</p>
      <ul>
        {log.reasons.map((reason) => (
          <li key={reason}>{reason}</li>
        ))}
      </ul>
    </details>
  );
}
