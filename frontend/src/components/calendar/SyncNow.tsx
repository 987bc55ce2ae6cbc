import { type Settings, type SyncBounds, useSyncNow } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Problem } from "../Problem";
import { did } from "./did";

interface Props {
  /** Of the connection: a sync goes no further than its direction, and without being asked none begins. */
  settings: Settings;
  disabled: boolean;
}

/** Syncs everything now, or some days or one direction alone, and says what came of it. */
export function SyncNow({ settings, disabled }: Props) {
  const { words } = useLanguage();
  const sync = useSyncNow();
  const start = (bounds: SyncBounds) => {
    // One at a time; a button that is disabled meanwhile would lose the focus.
    if (!sync.isPending) sync.mutate(bounds);
  };
  const outcome = sync.data?.outcome;
  return (
    <div className="sync-now">
      <div className="row">
        <button
          type="button"
          className={settings.autoSync ? "" : "primary"}
          disabled={disabled}
          onClick={() => start({})}
        >
          {sync.isPending ? words.sync.underWay : words.sync.now}
        </button>
        <span role="status" className="hint">
          {outcome === "running" && words.sync.goesOn}
          {outcome === "partial" && words.sync.partial}
          {sync.data?.outcome === "completed" && words.sync.done(did(sync.data, words.did))}
        </span>
      </div>
      <Problem error={sync.error} />
      <details className="more">
        <summary>{words.sync.bounded}</summary>
        <form
          className="settings"
          onSubmit={(submitted) => {
            submitted.preventDefault();
            start(boundsOf(new FormData(submitted.currentTarget)));
          }}
        >
          <label>
            {words.sync.from} <input type="date" name="startDate" />
          </label>
          <label>
            {words.sync.to} <input type="date" name="endDate" />
          </label>
          {settings.syncDirection === "two_way" && (
            <label>
              {words.settings.direction}{" "}
              <select name="direction">
                {Object.entries(words.settings.directions).map(([name, text]) => (
                  <option key={name} value={name}>
                    {text}
                  </option>
                ))}
              </select>
            </label>
          )}
          <button disabled={disabled}>{words.sync.these}</button>
        </form>
      </details>
    </div>
  );
}

/** What a form bounds a sync to. One date alone stands for that day. */
function boundsOf(form: FormData): SyncBounds {
  const field = (name: string) => (form.get(name) as string | null) ?? "";
  const [from, to] = [field("startDate"), field("endDate")];
  const direction = field("direction") as Settings["syncDirection"] | "";
  return {
    ...((from || to) && { startDate: from || to, endDate: to || from }),
    ...(direction && { direction }),
  };
}
