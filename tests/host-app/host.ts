/** What a host has of its own: a sign-in that answers later, and lessons. */
import type { CalendarLesson } from "@calendar-sync/react";

export const API: string = import.meta.env.VITE_API_URL;
export const INSTRUCTOR = "5c7a1e00-0000-4000-8000-0000000000a1";

let token: Promise<string> | undefined;

export function accessToken({ renew }: { renew: boolean }): Promise<string> {
  if (renew) token = undefined;
  return (token ??= fetch(`${API}/dev/session?instructor=${INSTRUCTOR}`)
    .then((answer) => answer.json())
    .then((session: { token: string }) => session.token));
}

export async function lessonsOf(instructor: string): Promise<CalendarLesson[]> {
  const authorization = `Bearer ${await accessToken({ renew: false })}`;
  const answer = await fetch(`${API}/dev/lessons?instructor=${instructor}`, { headers: { authorization } });
  return (await answer.json()) as CalendarLesson[];
}
