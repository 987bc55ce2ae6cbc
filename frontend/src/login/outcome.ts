/** The parameters with which a browser returns from Google's consent screen. */
import type { Words } from "../words/en";

export type LoginOutcome =
  | { kind: "connected" }
  | { kind: "error"; code: string }
  /** The browser did not send the login's cookie: the page finishes with its own token. */
  | { kind: "finish"; state: string; code: string };

/** The outcome in the page's address, or `null`. */
export function readLoginOutcome(): LoginOutcome | null {
  const { search, hash } = window.location;
  return read(new URLSearchParams(search), new URLSearchParams(hash.slice(1)));
}

/** Removes it there, so that a reload does not show it again. */
export function forgetLoginOutcome(): void {
  const { search, pathname } = window.location;
  const rest = new URLSearchParams(search);
  for (const taken of ["calendar", "code"]) rest.delete(taken);
  const query = rest.toString();
  window.history.replaceState(null, "", query === "" ? pathname : `${pathname}?${query}`);
}

function read(query: URLSearchParams, fragment: URLSearchParams): LoginOutcome | null {
  const [state, code] = [fragment.get("state"), fragment.get("code")];
  switch (query.get("calendar")) {
    case "connected":
      return { kind: "connected" };
    case "error":
      return { kind: "error", code: query.get("code") ?? "unknown" };
    case "finish":
      return state && code ? { kind: "finish", state, code } : { kind: "error", code: "unknown" };
    default:
      return null;
  }
}

/** Why the calendar was not connected, in words. */
export const refusalOf = (code: string, words: Words): string => words.refusals[code] ?? words.refusal(code);
