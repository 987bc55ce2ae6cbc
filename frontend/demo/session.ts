/**
 * Stands in for a host's sign-in: `make run` signs the visitor in as one of the demo's instructors. A host has a token of
 * its own.
 */
import { type QueryClient, queryOptions } from "@tanstack/react-query";

export interface Session {
  tenantId: string;
  instructorId: string;
  token: string;
  /** The address of the simulated Google calendar. */
  googleUrl: string;
}

export const INSTRUCTORS = [
  { id: "5c7a1e00-0000-4000-8000-0000000000a1", name: "Ada Berger" },
  { id: "5c7a1e00-0000-4000-8000-0000000000a2", name: "Grace Hill" },
] as const;

export const nameOf = (instructorId: string): string | undefined =>
  INSTRUCTORS.find(({ id }) => id === instructorId)?.name;

/** Stands for the tenant's administrator in the choice of who is signed in. */
export const ADMINISTRATOR = "administrator";
/** The administrator's own id: they are none of the instructors. */
const ADMINISTRATOR_ID = "5c7a1e00-0000-4000-8000-0000000000ad";

const REMEMBERED = "instructor";

/** Who was signed in last in this tab. */
export const remembered = (): string => sessionStorage.getItem(REMEMBERED) ?? INSTRUCTORS[0].id;

/** Remembers who it is for the return from Google. */
export const remember = (who: string): void => sessionStorage.setItem(REMEMBERED, who);

const signIn = (who: string): string =>
  who === ADMINISTRATOR ? `role=admin&instructor=${ADMINISTRATOR_ID}` : `instructor=${who}`;

/** A token for an instructor or the administrator, valid for hours and replaced before it expires. */
export const sessionOf = (who: string) =>
  queryOptions({
    queryKey: ["session", who],
    queryFn: async () => {
      const answer = await fetch(`/dev/session?${signIn(who)}`);
      if (!answer.ok) throw new Error(`The sign-in failed: ${answer.status}.`);
      return (await answer.json()) as Session;
    },
    staleTime: 30 * 60_000,
  });

/** Their token; another than the one that was refused, if one was. */
export async function tokenOf(queries: QueryClient, who: string, refused?: string): Promise<string> {
  const session = sessionOf(who);
  const known = await queries.query(session);
  if (known.token !== refused) return known.token;
  return (await queries.query({ ...session, staleTime: 0 })).token;
}
