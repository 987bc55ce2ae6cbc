import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";

import { type Conflict, type Connection, useStatus } from "../../api/calendar";
import { LanguageProvider, languageOf } from "../../words/language";
import { ConflictList } from "./ConflictList";
import { answers, asked, connected, ME, press, show } from "./testing";

const STATUS = `/api/v1/calendar/status/${ME}`;
const PATH = `/api/v1/calendar/conflicts/${ME}/c1`;

const pair: Conflict = {
  id: "c1",
  lessonId: "l",
  googleEventId: "e",
  occurrenceStart: "2026-03-02T08:00:00.000Z",
  overlapStart: "2026-03-02T08:30:00.000Z",
  overlapEnd: "2026-03-02T09:00:00.000Z",
  foundAt: "2026-03-01T08:00:00.000Z",
  state: "live",
  ignored: null,
  title: "Dentist",
};
const fine: Conflict = {
  ...pair,
  state: "ignored",
  ignored: { by: "office", role: "admin", at: "2026-03-01T08:00:00.000Z" },
};
const counts = (live: number, ignored: number) => ({
  ...connected.counts,
  conflicts: live,
  conflictsIgnored: ignored,
});
const live: Connection = { ...connected, counts: counts(1, 0), conflicts: [pair] };
const ignored: Connection = { ...connected, counts: counts(0, 1), ignoredConflicts: [fine] };

/** The list as the tab has it. */
function List() {
  const { data } = useStatus();
  if (!data?.connected) return null;
  return (
    <ConflictList
      live={{ next: data.conflicts, count: data.counts.conflicts }}
      ignored={{ next: data.ignoredConflicts, count: data.counts.conflictsIgnored }}
      timeZone={data.timeZone}
      lessons={[]}
    />
  );
}

const button = (name: string | RegExp) => screen.getByRole("button", { name });
const patches = () => asked.filter(([method]) => method === "PATCH");
const folded = () => screen.getByText("1 overlap marked as fine");

describe("a conflict on the page", () => {
  it("goes to those that are fine, which are folded, and takes the focus along", async () => {
    show(<List />, live);
    answers[PATH] = [200, fine];
    answers[STATUS] = [200, ignored];
    await press("This one is fine: A lesson, Dentist");
    await waitFor(() => expect(document.activeElement).toBe(folded()));
    expect(patches()).toEqual([["PATCH", PATH, { state: "ignored" }]]);
    expect(screen.getByText("No other lesson overlaps anything in Google.")).toBeTruthy();
    expect(folded().closest("details")?.open).toBe(false);
    expect(screen.getByText(/^Fine, says an administrator/)).toBeTruthy();
  });

  it("comes back when a person takes that back, by the keyboard alone", async () => {
    show(<List />, ignored);
    answers[PATH] = [200, pair];
    answers[STATUS] = [200, live];
    // (jsdom neither opens details by the keyboard nor leaves out what is folded.)
    act(() => button("Flag it again: A lesson, Dentist").focus());
    await userEvent.keyboard("{Enter}");
    await waitFor(() => expect(document.activeElement).toBe(button("This one is fine: A lesson, Dentist")));
    expect(patches()).toEqual([["PATCH", PATH, { state: "live" }]]);
    expect(screen.queryByText(/marked as fine/)).toBeNull();
  });

  it("is sent once, however often the button is pressed meanwhile, and keeps the focus until it is answered", async () => {
    show(<List />, live);
    let answer: (response: Response) => void = () => undefined;
    const fetched = vi.fn<() => Promise<Response>>(() => new Promise((resolve) => (answer = resolve)));
    vi.stubGlobal("fetch", fetched);
    await userEvent.dblClick(button("This one is fine: A lesson, Dentist"));
    await press("This one is fine: A lesson, Dentist");
    expect(fetched).toHaveBeenCalledTimes(1);
    expect(document.activeElement).toBe(button("This one is fine: A lesson, Dentist"));
    answer(Response.json({ success: true, data: fine }));
    await waitFor(() => expect(fetched).toHaveBeenCalledTimes(2));
  });

  it("says why it could not be decided, and stays where it is", async () => {
    show(<List />, live);
    answers[PATH] = [409, { code: "too_many_ignored", message: "Twenty are ignored already." }];
    await press("This one is fine: A lesson, Dentist");
    expect((await screen.findByRole("alert")).textContent).toBe("Twenty are ignored already.");
    expect(document.activeElement).toBe(button("This one is fine: A lesson, Dentist"));
  });

  it("is decided in German too", async () => {
    const german = await languageOf(["de"]);
    show(
      <LanguageProvider value={german}>
        <List />
      </LanguageProvider>,
      ignored,
    );
    expect(button(/^Wieder melden: .*, Dentist$/)).toBeTruthy();
    expect(screen.getByText("1 Überschneidung in Ordnung")).toBeTruthy();
  });
});
