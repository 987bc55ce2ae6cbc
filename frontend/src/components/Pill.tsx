import { words } from "../format";

const TONES: Record<string, string> = {
  active: "good",
  synced: "good",
  completed: "good",
  healthy: "good",
  pending: "warn",
  partial: "warn",
  running: "warn",
  switched_off: "warn",
  disconnecting: "warn",
  conflict: "warn",
  suspect: "warn",
  failed: "bad",
  failing: "bad",
  client_refused: "bad",
  needs_reauth: "bad",
  unhealthy: "bad",
};

/** A state, coloured by whether it is good or bad. */
export function Pill({ state }: { state: string }) {
  return <span className={`pill ${TONES[state] ?? ""}`}>{words(state)}</span>;
}
