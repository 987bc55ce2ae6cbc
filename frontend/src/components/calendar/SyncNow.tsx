import { type Settings, type SyncBounds, useSyncNow } from "../../api/calendar";
import { Problem } from "../Problem";
import { did } from "./did";
import { DIRECTIONS } from "./directions";

interface Props {
  /** The connection's own direction: a sync goes no further. */
  direction: Settings["syncDirection"];
  disabled: boolean;
}

/** Syncs everything now, or some days or one direction alone, and says what came of it. */
export function SyncNow({ direction, disabled }: Props) {
  const sync = useSyncNow();
  const impossible = disabled || sync.isPending;
  return (
    <div className="sync-now">
      <div className="row">
        <button type="button" className="primary" disabled={impossible} onClick={() => sync.mutate({})}>
          {sync.isPending ? "Syncing …" : "Sync now"}
        </button>
        <span role="status" className="hint">
          {sync.data &&
            (sync.data.outcome === "running"
              ? "The sync goes on in the background."
              : sync.data.outcome === "partial"
                ? "A part is still to be done; the activity says what."
                : `Synced: ${did(sync.data)}.`)}
        </span>
      </div>
      <Problem error={sync.error} />
      <details className="more">
        <summary>Only some days, or one way</summary>
        <form
          className="settings"
          onSubmit={(submitted) => {
            submitted.preventDefault();
            sync.mutate(boundsOf(new FormData(submitted.currentTarget)));
          }}
        >
          <label>
            From <input type="date" name="startDate" />
          </label>
          <label>
            To <input type="date" name="endDate" />
          </label>
          {direction === "two_way" && (
            <label>
              Direction{" "}
              <select name="direction">
                {Object.entries(DIRECTIONS).map(([name, words]) => (
                  <option key={name} value={name}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
          )}
          <button disabled={impossible}>Sync these</button>
        </form>
      </details>
    </div>
  );
}

/** What a form bounds a sync to. One date alone stands for that day. */
export function boundsOf(form: FormData): SyncBounds {
  const field = (name: string) => (form.get(name) as string | null) ?? "";
  const [from, to, direction] = ["startDate", "endDate", "direction"].map(field);
  return {
    ...((from || to) && { startDate: from || to, endDate: to || from }),
    ...(direction && { direction: direction as Settings["syncDirection"] }),
  };
}
