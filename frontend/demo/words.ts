/** The demo's own sentences, and how it writes times. */
import { type Formats, formats } from "../src/format";

const en = {
  title: "Scheduling",
  signedInAs: "Signed in as",
  administrator: "Administrator",
  sync: "Calendar Sync",
  conflicts: (number: number) => `${number} ${number === 1 ? "conflict" : "conflicts"}`,
  aLesson: "A lesson",
  justNow: "just now",
  told: {
    title: "Told to the instructor",
    conflictFound: (lesson: string) => `${lesson} overlaps something in Google`,
    conflictCleared: (lesson: string) => `${lesson} no longer overlaps something in Google`,
    changed: (lesson: string, putBack: boolean) =>
      `${lesson} was changed in Google${putBack ? ", and put back" : "; it is left as it is"}`,
    needsPermission: "Google needs your permission again",
    heldUp: "The sync is held up",
  },
  lessons: {
    title: "Lessons",
    none: "No lessons yet.",
    states: {
      synced: "In Google",
      pending: "On the way",
      failed: "Not as it should be",
      conflict: "Overlap",
    } as Record<string, string>,
    earlier: "An hour earlier",
    later: "An hour later",
    cancel: "Cancel",
    restore: "Restore",
    remove: "Remove",
    new: "New lesson",
    name: "Title",
    start: "Start",
    length: "Length",
    add: "Add",
  },
};

export type Words = typeof en;

const de: Words = {
  title: "Stundenplan",
  signedInAs: "Angemeldet als",
  administrator: "Verwaltung",
  sync: "Kalender-Sync",
  conflicts: (number) => `${number} ${number === 1 ? "Überschneidung" : "Überschneidungen"}`,
  aLesson: "Eine Stunde",
  justNow: "gerade eben",
  told: {
    title: "Mitgeteilt",
    conflictFound: (lesson) => `${lesson} überschneidet sich mit etwas in Google`,
    conflictCleared: (lesson) => `${lesson} überschneidet sich nicht mehr mit etwas in Google`,
    changed: (lesson, putBack) =>
      `${lesson} wurde in Google geändert${putBack ? " und wiederhergestellt" : " und bleibt, wie es ist"}`,
    needsPermission: "Google braucht Ihre Erlaubnis noch einmal",
    heldUp: "Die Synchronisation stockt",
  },
  lessons: {
    title: "Stunden",
    none: "Noch keine Stunden.",
    states: {
      synced: "In Google",
      pending: "Unterwegs",
      failed: "Nicht wie vorgesehen",
      conflict: "Überschneidung",
    },
    earlier: "Eine Stunde früher",
    later: "Eine Stunde später",
    cancel: "Absagen",
    restore: "Wiederherstellen",
    remove: "Entfernen",
    new: "Neue Stunde",
    name: "Titel",
    start: "Beginn",
    length: "Dauer",
    add: "Hinzufügen",
  },
};

/** As index.html has chosen it. */
export const locale = document.documentElement.lang;
export const words = locale.startsWith("de") ? de : en;
export const format: Formats = formats(locale, words.justNow);
