/** What a host has of its own: a sign-in that answers later, and lessons. */
import type { CalendarLesson } from "@calendar-sync/react";

export const API = import.meta.env.VITE_API_URL as string;
export const INSTRUCTOR = "5c7a1e00-0000-4000-8000-0000000000a1";

let token: Promise<string | null> | undefined;

/** The caller's token, `null` where the session has ended. It fails where the sign-in cannot be reached. */
export function accessToken({ renew }: { renew: boolean }): Promise<string | null> {
  if (renew) token = undefined;
  token ??= signIn().catch((error: unknown) => {
    token = undefined;
    throw error;
  });
  return token;
}

async function signIn(): Promise<string | null> {
  const answer = await fetch(`${API}/dev/session?instructor=${INSTRUCTOR}`);
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`The sign-in answered ${answer.status}.`);
  const session = (await answer.json()) as { token: string };
  return session.token;
}

export async function lessonsOf(instructor: string): Promise<CalendarLesson[]> {
  const authorization = `Bearer ${await accessToken({ renew: false })}`;
  const answer = await fetch(`${API}/dev/lessons?instructor=${instructor}`, { headers: { authorization } });
  return (await answer.json()) as CalendarLesson[];
}
