import { useLanguage } from "../words/language";

const TONES: Record<string, string> = { synced: "good", pending: "warn", failed: "bad", conflict: "bad" };

/** How a lesson stands, coloured by whether it is good or bad. */
export function Pill({ state }: { state: string }) {
  const { states } = useLanguage().words.lessons;
  return <span className={`pill ${TONES[state] ?? ""}`}>{states[state] ?? state}</span>;
}
