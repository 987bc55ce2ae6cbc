import { screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import type { Act, Person, PersonAct } from "../../api/calendar";
import type { Who } from "../../words/en";
import { english, languageOf } from "../../words/language";
import { called, sentence } from "./acts";
import { SyncHistory } from "./SyncHistory";
import { connected, show } from "./testing";

const anna: Who = { name: "Anna" };

describe("what a person did", () => {
  const changed = { code: "setting_changed" } as const;
  it.each<[Act, Who, string, string]>([
    [{ code: "connected" }, anna, "Anna connected the calendar", "Anna hat den Kalender verbunden"],
    [
      { code: "connected_again" },
      "you",
      "You connected the calendar again",
      "Sie haben den Kalender neu verbunden",
    ],
    [
      { code: "account_replaced" },
      "instructor",
      "The instructor connected another Google account",
      "Die Lehrkraft hat ein anderes Google-Konto verbunden",
    ],
    [
      { code: "disconnected", keepEvents: false, keepImported: false },
      "admin",
      "An administrator disconnected the calendar",
      "Die Verwaltung hat den Kalender getrennt",
    ],
    [
      { code: "disconnected", keepEvents: true, keepImported: true },
      anna,
      "Anna disconnected the calendar, and kept the lessons' events in Google and what was imported",
      "Anna hat den Kalender getrennt und die Termine der Stunden in Google und das Übernommene behalten",
    ],
    [
      { ...changed, setting: "syncEnabled", to: false },
      anna,
      "Anna switched the sync off",
      "Anna hat die Synchronisation ausgeschaltet",
    ],
    [
      { ...changed, setting: "autoSync", to: true },
      anna,
      "Anna switched automatic sync on",
      "Anna hat das Synchronisieren von selbst eingeschaltet",
    ],
    [
      { ...changed, setting: "shareTitles", to: true },
      "you",
      "You shared the titles of events with administrators",
      "Sie haben die Titel der Termine der Verwaltung gezeigt",
    ],
    [
      { ...changed, setting: "syncDirection", to: "from_google" },
      anna,
      "Anna set the direction to “From Google only”",
      "Anna hat als Richtung „Nur aus Google“ gewählt",
    ],
    [
      { ...changed, setting: "syncIntervalMinutes", to: 30 },
      anna,
      "Anna had Google checked every 30 minutes where it does not tell of changes",
      "Anna hat gewählt, dass alle 30 Minuten nachgesehen wird, wenn Google Änderungen nicht meldet",
    ],
  ])("is told in both languages: %j", async (act, who, inEnglish, inGerman) => {
    const german = await languageOf(["de"]);
    expect([sentence(act, who, english.words), sentence(act, who, german.words)]).toEqual([
      inEnglish,
      inGerman,
    ]);
  });

  it("names who did it as the viewer knows them", () => {
    const names = (subject: string) => (subject === "user-1" ? "Anna" : undefined);
    const instructor: Person = { subject: "user-1", role: "instructor" };
    const admin: Person = { subject: "user-2", role: "admin" };
    expect(called(instructor, "instructor", names)).toBe("you");
    expect(called(instructor, "administrator", names)).toEqual(anna);
    expect(called(instructor, "administrator", undefined)).toBe("instructor");
    expect(called({ ...admin, subject: "user-1" }, "instructor", names)).toEqual(anna);
    expect(called(admin, "instructor", names)).toBe("admin");
  });

  it("stands among the activity, without anything to open", () => {
    const act: PersonAct = {
      kind: "act",
      id: "1",
      at: "2026-03-01T08:00:00.000Z",
      person: { subject: "user-2", role: "admin" },
      act: { code: "disconnected", keepEvents: true, keepImported: false },
    };
    show(<SyncHistory status={{ ...connected, logs: [act] }} personName={() => "Grace"} />);
    const told = "Grace disconnected the calendar, and kept the lessons' events in Google";
    expect(screen.getByText(told).closest("details")).toBeNull();
  });
});
