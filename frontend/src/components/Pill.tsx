const STATES: Record<string, readonly [text: string, tone: string]> = {
  synced: ["In Google", "good"],
  pending: ["On the way", "warn"],
  failed: ["Not in Google", "bad"],
  conflict: ["Overlap", "bad"],
};

/** How a lesson stands, coloured by whether it is good or bad. */
export function Pill({ state }: { state: string }) {
  const [text, tone] = STATES[state] ?? [state, ""];
  return <span className={`pill ${tone}`}>{text}</span>;
}
