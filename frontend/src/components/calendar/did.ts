import type { SyncCounts } from "../../api/calendar";
import { count } from "../../format";

export const NOTHING_NEW = "nothing was new";

/** What a run changed, in words. */
export function did(counts: SyncCounts): string {
  const said = [
    [counts.eventsCreated, "created"],
    [counts.eventsUpdated, "updated"],
    [counts.eventsDeleted, "deleted"],
  ] as const;
  const parts = said
    .filter(([number]) => number > 0)
    .map(([number, what]) => `${count(number, "event")} ${what}`);
  if (counts.conflictsDetected > 0) parts.push(count(counts.conflictsDetected, "new conflict"));
  if (parts.length === 0 && counts.eventsSynced > 0)
    parts.push(`${count(counts.eventsSynced, "event")} taken in`);
  return parts.join(", ") || NOTHING_NEW;
}
