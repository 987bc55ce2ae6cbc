import { useState } from "react";

import { type Settings, useCalendar, useChangeSettings } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Problem } from "../Problem";

const INTERVALS = [5, 15, 30, 60, 240, 1440];

/** The settings of a connection. Each takes effect at once. Who sees titles is the instructor's alone to say. */
export function CalendarSettings({ settings }: { settings: Settings }) {
  const { viewer } = useCalendar();
  const { settings: words } = useLanguage().words;
  const change = useChangeSettings();
  // A pending change shows at once: a switch that jumped back first would invite a second click.
  const [turned, setTurned] = useState<Partial<Settings>>({});
  const turn = (switches: Partial<Settings>) => {
    setTurned((before) => ({ ...before, ...switches }));
    change.mutate(switches, { onSettled: () => setTurned({}) });
  };
  const shown = { ...settings, ...turned };
  return (
    <fieldset className="settings" aria-busy={change.isPending}>
      <legend className="hidden">{words.title}</legend>
      <label>
        <input
          type="checkbox"
          checked={shown.syncEnabled}
          onChange={(changed) => turn({ syncEnabled: changed.target.checked })}
        />{" "}
        {words.on}
      </label>
      <label>
        <input
          type="checkbox"
          checked={shown.autoSync}
          onChange={(changed) => turn({ autoSync: changed.target.checked })}
        />{" "}
        {words.automatic}
      </label>
      <label>
        {words.direction}{" "}
        <select
          value={shown.syncDirection}
          onChange={(changed) => turn({ syncDirection: changed.target.value as Settings["syncDirection"] })}
        >
          {Object.entries(words.directions).map(([direction, name]) => (
            <option key={direction} value={direction}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label>
        {words.interval}{" "}
        <select
          value={shown.syncIntervalMinutes}
          onChange={(changed) => turn({ syncIntervalMinutes: Number(changed.target.value) })}
        >
          {[...new Set([...INTERVALS, shown.syncIntervalMinutes])]
            .sort((one, other) => one - other)
            .map((minutes) => (
              <option key={minutes} value={minutes}>
                {words.every(minutes)}
              </option>
            ))}
        </select>
      </label>
      {viewer === "instructor" && (
        <label>
          <input
            type="checkbox"
            checked={shown.shareTitles}
            onChange={(changed) => turn({ shareTitles: changed.target.checked })}
          />{" "}
          {words.shareTitles}
        </label>
      )}
      <Problem error={change.error} />
    </fieldset>
  );
}
