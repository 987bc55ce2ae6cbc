import { words } from "./words";

const TONES: Record<string, string> = { synced: "good", pending: "warn", failed: "bad", conflict: "bad" };

/** How a lesson stands, coloured by whether it is good or bad. */
export function Pill({ state }: { state: string }) {
  return <span className={`pill ${TONES[state] ?? ""}`}>{words.lessons.states[state] ?? state}</span>;
}
