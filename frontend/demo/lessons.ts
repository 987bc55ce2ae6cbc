/** Stands in for a host's lessons: what `make run` serves under `/dev`. */
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import type { Session } from "./session";

export interface Lesson {
  id: string;
  title: string;
  startsAt: string;
  endsAt: string;
  timeZone: string;
  status: "scheduled" | "cancelled";
  calendarSyncStatus: string | null;
  hasConflict: boolean;
}

export type LessonChange = Partial<Pick<Lesson, "title" | "startsAt" | "endsAt" | "timeZone" | "status">>;

export interface Notice {
  detailType: string;
  receivedAt: string;
  detail: {
    id: string;
    instructorId: string;
    lessonId?: string;
    putBack?: boolean;
    conflicts?: { change: "found" | "cleared" | "ignored" | "unignored"; lessonId: string }[];
  };
}

const REFRESH_MS = 3000;

async function call<T>(
  session: Session,
  path: string,
  method = "GET",
  body?: unknown,
): Promise<T | undefined> {
  const headers = { authorization: `Bearer ${session.token}`, "content-type": "application/json" };
  const answer = await fetch(path, {
    method,
    headers,
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(messageOf(text) ?? `The server answered ${answer.status}.`);
  return text === "" ? undefined : (JSON.parse(text) as T);
}

/** The message of a refusal by the host. */
function messageOf(text: string): string | undefined {
  try {
    return (JSON.parse(text) as { message?: string }).message;
  } catch {
    return undefined;
  }
}

/** The instructor's lessons, the earliest first. */
export function useLessons(session: Session) {
  return useQuery({
    queryKey: ["lessons", session.instructorId],
    queryFn: async () =>
      (await call<Lesson[]>(session, `/dev/lessons?instructor=${session.instructorId}`)) ?? [],
    refetchInterval: REFRESH_MS,
  });
}

/** Adds a lesson, or changes or removes the one with an id. */
export function useChangeLesson(session: Session) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, change }: { id?: string; change: LessonChange | "remove" }) => {
      const path = `/dev/lessons${id === undefined ? "" : `/${id}`}?instructor=${session.instructorId}`;
      if (change === "remove") return call(session, path, "DELETE");
      return call(session, path, id === undefined ? "POST" : "PATCH", change);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["lessons"] }),
  });
}

/** The instructor's notices on the event bus, the newest first. */
export function useNotices(session: Session) {
  return useQuery({
    queryKey: ["notices", session.instructorId],
    queryFn: async () => {
      const all = (await call<Notice[]>(session, "/dev/notices")) ?? [];
      return all.filter((notice) => notice.detail.instructorId === session.instructorId).slice(0, 20);
    },
    refetchInterval: REFRESH_MS,
  });
}
