import type { SyncCounts } from "../../api/calendar";
import type { Words } from "../../words/en";

/** What a run changed, in words; of one that changed nothing, `words.nothing`. */
export function did(counts: SyncCounts, words: Words["did"]): string {
  const said = [
    [counts.eventsCreated, words.created],
    [counts.eventsUpdated, words.updated],
    [counts.eventsDeleted, words.deleted],
    [counts.conflictsDetected, words.conflicts],
  ] as const;
  const parts = said.filter(([number]) => number > 0).map(([number, say]) => say(number));
  if (parts.length === 0 && counts.eventsSynced > 0) parts.push(words.takenIn(counts.eventsSynced));
  return parts.join(", ") || words.nothing;
}
