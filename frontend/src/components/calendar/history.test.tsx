import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { SyncLog } from "../../api/calendar";
import { en } from "../../words/en";
import { SyncHistory, withTitles } from "./SyncHistory";
import { answers, asked, connected, ME, press, show } from "./testing";

describe("SyncHistory", () => {
  const log: SyncLog = {
    id: "1",
    trigger: "webhook",
    direction: "two_way",
    startedAt: "2026-03-01T08:00:00.000Z",
    durationMs: 80,
    googleCalls: 1,
    outcome: "completed",
    reasons: ["The event was put back."],
    eventsSynced: 1,
    eventsCreated: 0,
    eventsUpdated: 1,
    eventsDeleted: 0,
    conflictsDetected: 0,
  };

  it("does not tell of a failed run as if nothing had been to do", () => {
    const failed = { ...log, outcome: "failed", eventsUpdated: 0 } as const;
    show(<SyncHistory status={{ ...connected, logs: [failed] }} />);
    expect(screen.getByText(/Something changed in Google: did not succeed/)).toBeTruthy();
  });

  it("tells why, and brings older runs on demand until there are none", async () => {
    answers[`/api/v1/calendar/status/${ME}`] = [
      200,
      { logs: [{ ...log, id: "2", trigger: "poll" }], nextCursor: null },
    ];
    show(<SyncHistory status={{ ...connected, logs: [log], nextCursor: "1" }} />);
    expect(screen.getByText("The event was put back.")).toBeTruthy();
    await press("Show earlier activity");
    expect(await screen.findByText(/Google was checked: 1 event updated/)).toBeTruthy();
    await waitFor(() =>
      expect(asked).toEqual([["GET", `/api/v1/calendar/status/${ME}?cursor=1`, undefined]]),
    );
    expect(screen.queryByRole("button", { name: "Show earlier activity" })).toBeNull();
  });

  it("leaves no gap where more has come meanwhile than the status tells", async () => {
    const run = (id: string, trigger: SyncLog["trigger"]) => ({ ...log, id, trigger });
    answers[`/api/v1/calendar/status/${ME}`] = [200, { logs: [run("1", "poll")], nextCursor: null }];
    const history = (logs: SyncLog[]) => <SyncHistory status={{ ...connected, logs, nextCursor: "2" }} />;
    const { rerender } = show(history([run("2", "webhook")]));
    await press("Show earlier activity");
    await screen.findByText(/Google was checked: /);
    rerender(history([run("3", "lesson"), run("2", "webhook")]));
    expect(screen.getByText(/Lessons changed: /)).toBeTruthy();
    expect(screen.getByText(/Google was checked: /)).toBeTruthy();
    rerender(history([run("9", "manual")]));
    expect(screen.getByText(/Synced by hand: /)).toBeTruthy();
    expect(screen.queryByText(/Google was checked: /)).toBeNull();
    expect(screen.getByRole("button", { name: "Show earlier activity" })).toBeTruthy();
  });

  it("names lessons by their titles where sentences carry ids", () => {
    const sentence = `Lesson ${ME} was written.`;
    expect(withTitles(sentence, () => "Violin", en)).toBe("Lesson “Violin” was written.");
    expect(withTitles(sentence, () => undefined, en)).toBe(sentence);
  });
});
