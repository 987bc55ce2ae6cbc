import { screen, waitFor } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { SyncLog } from "../../api/calendar";
import { english } from "../../words/language";
import { inWords } from "./activity";
import { SyncHistory } from "./SyncHistory";
import { answers, asked, connected, ME, press, show } from "./testing";

describe("SyncHistory", () => {
  const log: SyncLog = {
    kind: "run",
    id: "1",
    trigger: "webhook",
    person: null,
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
    expect(screen.getAllByText("The event was put back.")[0]).toBeTruthy();
    await press("Show earlier activity");
    expect(await screen.findByText(/Google was checked: 1 lesson updated/)).toBeTruthy();
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

  it("leaves out runs that found nothing, and keeps those that failed", () => {
    const nothing: SyncLog = { ...log, trigger: "poll", eventsSynced: 0, eventsUpdated: 0, reasons: [] };
    const failed: SyncLog = { ...nothing, id: "2", trigger: "manual", outcome: "failed" };
    show(<SyncHistory status={{ ...connected, logs: [nothing, failed] }} />);
    expect(screen.getAllByRole("listitem").map(({ textContent }) => textContent)).toEqual([
      expect.stringMatching(/^Synced by hand: did not succeed/),
    ]);
  });

  it("says so where nothing was found lately", () => {
    const nothing = { ...log, eventsSynced: 0, eventsUpdated: 0, reasons: [] };
    show(
      <SyncHistory status={{ ...connected, logs: [nothing, { ...nothing, id: "2", trigger: "connect" }] }} />,
    );
    expect(screen.getByText("Nothing new lately.")).toBeTruthy();
  });

  it("says who asked for a sync by hand", () => {
    const person = { subject: "user-1", role: "admin" } as const;
    const by = (props: object) => {
      show(
        <SyncHistory status={{ ...connected, logs: [{ ...log, trigger: "manual", person }] }} {...props} />,
      );
    };
    by({});
    expect(screen.getByText("An administrator synced by hand: 1 lesson updated")).toBeTruthy();
    by({ personName: (subject: string) => (subject === "user-1" ? "Anna" : undefined) });
    expect(screen.getByText("Anna synced by hand: 1 lesson updated")).toBeTruthy();
  });

  it("keeps under technical details what only support needs", () => {
    const reasons = [`Lesson ${ME} of 2026-03-02 09:00: its event was made.`];
    show(<SyncHistory status={{ ...connected, logs: [{ ...log, reasons }] }} lessonTitle={() => "Violin"} />);
    const technical = screen.getByText("Technical details").closest("details");
    expect(technical?.textContent).toContain(ME);
    expect(technical?.textContent).toContain("1 call to Google");
    expect(screen.getByText(/^“Violin”, Mon, Mar 2, 09:00/).closest("details")).not.toBe(technical);
  });
});

describe("a sentence of a run, in people's words", () => {
  const told = (sentence: string, title?: string, zone = "UTC") =>
    inWords(sentence, () => title, zone, english);

  it.each([
    [
      `Lesson ${ME} of 2026-03-02 09:00: its event was made.`,
      "Violin",
      "“Violin”, Mon, Mar 2, 09:00 AM: its event was made.",
    ],
    [
      `Lesson ${ME} of 2026-03-02 09:00: its event followed the lesson.`,
      undefined,
      "A lesson, Mon, Mar 2, 09:00 AM: its event followed the lesson.",
    ],
    [
      `Lesson ${ME} of 2026-03-02 09:00: it overlaps event getuuj1uosr5ortbb72jgsltbk from 2026-03-02 09:30 to 2026-03-02 10:00.`,
      "Violin",
      "“Violin”, Mon, Mar 2, 09:00 AM: it overlaps an event from Mon, Mar 2, 09:30 AM to Mon, Mar 2, 10:00 AM.",
    ],
    [
      "Event getuuj1uosr5ortbb72jgsltbk_20260302T090000Z was left out: it cannot be read.",
      undefined,
      "An event was left out: it cannot be read.",
    ],
    ["The event was put back.", undefined, "The event was put back."],
  ])("has titles and times for ids: %s", (sentence, title, said) => {
    expect(told(sentence, title)).toBe(said);
  });

  it("says the calendar's zone where it is not the viewer's", () => {
    const sentence = `Lesson ${ME} of 2026-07-02 09:00: its event was made.`;
    expect(told(sentence, "Violin", "Europe/Berlin")).toBe(
      "“Violin”, Thu, Jul 2, 09:00 AM GMT+2: its event was made.",
    );
    expect(inWords(sentence, undefined, undefined, english)).toContain("Thu, Jul 2, 09:00 AM: ");
  });
});
