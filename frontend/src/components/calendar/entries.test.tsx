import { cleanup, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";

import type { ExternalEvent } from "../../api/calendar";
import { english } from "../../words/language";
import { byLesson, ConflictList } from "./ConflictList";
import { type Entry, firstDayOfWeek, notKept, ofEvent, ofLesson } from "./entries";
import { facts } from "./EntryDetails";
import EventsCalendar from "./EventsCalendar";
import type { CalendarLesson } from "./lessons";
import { asked, show } from "./testing";

describe("an event of Google on the page", () => {
  const event: ExternalEvent = {
    googleEventId: "e",
    calendarId: "primary",
    title: "Dentist",
    location: null,
    eventStart: "2026-03-02T08:00:00.000Z",
    eventEnd: "2026-03-02T09:00:00.000Z",
    allDayEvent: false,
    eventStatus: "confirmed",
    recurring: false,
    private: false,
    blocks: true,
    freeBecause: null,
    hasConflict: false,
    conflicts: [],
  };
  const lesson: CalendarLesson = {
    id: "l",
    title: "Violin",
    startsAt: "2026-03-02T08:30:00.000Z",
    endsAt: "2026-03-02T09:30:00.000Z",
    status: "scheduled",
    hasConflict: true,
  };
  const conflict = {
    id: "le",
    state: "live" as const,
    ignored: null,
    lessonId: "l",
    googleEventId: "e",
    occurrenceStart: event.eventStart,
    overlapStart: lesson.startsAt,
    overlapEnd: event.eventEnd,
    foundAt: "",
  };
  const next = { ...conflict, title: "Dentist" };
  const overlapping = { ...event, hasConflict: true, conflicts: [conflict] };
  const told = (entry: Entry) => facts(entry, "Europe/Berlin", () => "Violin", english).join(" ");

  it("is told apart from a lesson, and marked like it where they overlap", () => {
    expect(ofLesson(lesson)).toMatchObject({ title: "Violin", className: "entry lesson overlaps" });
    expect(ofEvent(overlapping, english.words)).toMatchObject({
      title: "Dentist",
      className: "entry busy overlaps",
    });
    expect(ofEvent({ ...event, blocks: false }, english.words).className).toBe("entry free");
  });

  it("shows as busy where it is private, and says where it has no title", () => {
    expect(ofEvent({ ...event, title: null, private: true }, english.words).title).toBe("Busy");
    for (const title of [null, ""]) {
      expect(ofEvent({ ...event, title }, english.words).title).toBe("(no title)");
    }
  });

  it("opens to what is known of it", () => {
    expect(told({ kind: "event", event: overlapping })).toContain("It overlaps Violin for 30 min.");
    const free = { ...event, freeBecause: "working_location", recurring: true, location: "Office" } as const;
    expect(told({ kind: "event", event: free })).toMatch(
      /Office.*repeats.*no time busy: it is a working location/,
    );
    const [eventStart, eventEnd] = ["2026-03-01T23:00:00.000Z", "2026-03-03T23:00:00.000Z"];
    const holiday = { ...event, allDayEvent: true, eventStart, eventEnd };
    expect(told({ kind: "event", event: holiday })).toMatch(/Mar 2\s–\sTue, Mar 3\./);
    expect(told({ kind: "lesson", lesson })).toContain("It overlaps something in Google.");
  });

  const none = { next: [], count: 0 };
  const list = { ignored: none, timeZone: "Europe/Berlin", lessons: [lesson] };

  it("says in which zone its times are where that is not the viewer's own", async () => {
    const event = { kind: "event", event: overlapping } as const;
    const inZone = (zone: string) => facts(event, zone, () => "Violin", english)[0];
    expect(inZone("Europe/Berlin")).toMatch(/GMT\+1\.$/);
    expect(inZone("UTC")).not.toMatch(/GMT|UTC/);
    show(<ConflictList live={{ next: [next], count: 1 }} {...list} />);
    // The lesson's and that of the overlap.
    expect(screen.getAllByText(/GMT\+1/)).toHaveLength(2);
    cleanup();
    vi.stubGlobal("matchMedia", () => ({ matches: false }));
    show(<EventsCalendar timeZone="Europe/Berlin" lessons={[]} calendarUrl="" />);
    expect(await screen.findByText("All times are those of Europe/Berlin.")).toBeTruthy();
    cleanup();
    show(<EventsCalendar timeZone="UTC" lessons={[]} calendarUrl="" />);
    expect(screen.queryByText(/All times/)).toBeNull();
  });

  it("stands under the lesson that it overlaps, in the order of time, by its title", async () => {
    const later = {
      ...next,
      id: "lf",
      googleEventId: "f",
      overlapStart: "2026-03-02T09:10:00.000Z",
      title: null,
    };
    expect(byLesson([later, next, { ...next, lessonId: "m" }])).toEqual([
      ["l", [next, later]],
      ["m", [{ ...next, lessonId: "m" }]],
    ]);
    show(<ConflictList live={{ next: [next, later], count: 2 }} {...list} />);
    expect(await screen.findByText("Dentist")).toBeTruthy();
    expect(screen.getByText("Violin")).toBeTruthy();
    expect(screen.getByText(/30 min in common/)).toBeTruthy();
    expect(screen.getByText("Busy")).toBeTruthy();
    expect(screen.queryByText(/more\./)).toBeNull();
    expect(asked).toEqual([]);
  });

  it("is said to have no title where its title is empty, and to be busy where nobody may know it", () => {
    const named = (title: string | null) => {
      show(<ConflictList live={{ next: [{ ...next, title }], count: 1 }} {...list} />);
      const said = document.querySelector(".conflict b")?.textContent;
      cleanup();
      return said;
    };
    expect(["", null].map(named)).toEqual(["(no title)", "Busy"]);
  });

  it("is listed with as many as there are in all, if these are more", () => {
    show(<ConflictList live={{ next: [next], count: 12 }} {...list} />);
    expect(screen.getByText("And 11 more.")).toBeTruthy();
    cleanup();
    show(<ConflictList live={none} {...list} />);
    expect(screen.getByText("No lesson overlaps anything in Google.")).toBeTruthy();
  });
});

describe("the calendar", () => {
  it("says from when on events are kept where it shows what was before", () => {
    const [from, to] = [new Date("2026-02-22T23:00:00Z"), new Date("2026-03-01T23:00:00Z")];
    const within = notKept({ from, to }, "2026-02-25T00:00:00.000Z");
    expect(within?.shades.map(({ allDay }) => allDay)).toEqual([undefined, true]);
    expect(within?.shades[0]).toMatchObject({ start: from, end: new Date("2026-02-25T00:00:00Z") });
    // Whole days end before the day of which all is kept.
    expect(within?.shades[1]?.end).toEqual(new Date("2026-02-25T23:59:59.999Z"));
    const first = (zone: string) =>
      within && english.format.days(within.firstDay, within.firstDay, zone).replace(/.*, /, "");
    expect(["UTC", "Europe/Berlin", "America/New_York"].map(first)).toEqual(["Feb 25", "Feb 26", "Feb 25"]);
    expect(notKept({ from, to }, "2026-05-01T00:00:00.000Z")?.shades[0]?.end).toEqual(to);
    expect(notKept({ from, to }, "2026-02-20T00:00:00.000Z")).toBeNull();
    expect(notKept({ from, to }, undefined)).toBeNull();
    expect(notKept(null, "2026-02-25T00:00:00.000Z")).toBeNull();
  });

  it("begins the week where the viewer does", () => {
    expect([1, 0]).toContain(firstDayOfWeek("en-US"));
    expect(firstDayOfWeek("de-DE")).toBe(1);
  });
});
