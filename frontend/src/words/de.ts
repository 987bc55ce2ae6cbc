import calendarLocale from "@fullcalendar/react/locales/de";

import type { Who, Words } from "./en";
import type { Catalogue } from "./language";

/** Jeder Satz der Seite auf Deutsch. */

const counted = (number: number, one: string, many: string): string =>
  `${number} ${number === 1 ? one : many}`;

const atLeast = (number: number, max: number, one: string, many: string): string =>
  number < max ? counted(number, one, many) : `${max} ${many} oder mehr`;

const events = (number: number) => counted(number, "Termin", "Termine");
const lessons = (number: number) => counted(number, "Stunde", "Stunden");

const grouped = (number: number): string => number.toLocaleString("de");

const read = (events: number) => `${grouped(events)} ${events === 1 ? "Termin" : "Termine"} gelesen`;

const has = (who: Who): string => {
  if (who === "you") return "Sie haben";
  return `${who === "instructor" ? "Die Lehrkraft" : who === "admin" ? "Die Verwaltung" : who.name} hat`;
};

const words: Words = {
  googleCalendar: "Google Kalender",
  noTitle: "(ohne Titel)",
  busy: "Beschäftigt",
  aLesson: "Eine Stunde",
  anEvent: "ein Termin",
  someLesson: "einer Stunde",
  quoted: (title) => `„${title}“`,
  justNow: "gerade eben",
  pending: (action) => `${action} …`,

  connect: {
    first: "Google Kalender verbinden",
    again: "Neu verbinden",
    done: "Der Kalender ist verbunden.",
    finishing: "Der Kalender wird verbunden …",
    replace: "Durch ein anderes Konto ersetzen",
    promises: [
      "Die Stunden stehen im Google Kalender und folgen dort jeder Änderung.",
      "Was in Google geplant wird, steht auch hier. Eine Stunde, mit der es sich überschneidet, wird markiert, nie abgesagt oder verlegt.",
      "Von privaten Terminen sieht die Schule nur, dass die Zeit belegt ist. Trennen lässt sich die Verbindung jederzeit.",
    ],
  },
  refusals: {
    consent_denied: "Sie haben es bei Google abgelehnt. Es wurde nichts verbunden.",
    permission_missing:
      "Auf der Seite von Google fehlte ein Häkchen. Bitte noch einmal verbinden und es gesetzt lassen.",
    other_browser: "Die Anmeldung wurde in einem anderen Browser begonnen. Bitte noch einmal verbinden.",
    unknown_state:
      "Die Anmeldung dauerte länger als zehn Minuten oder wurde schon benutzt. Bitte noch einmal verbinden.",
    no_refresh_token:
      "Google gab keine dauerhafte Erlaubnis. Bitte diese Anwendung aus den Verbindungen des Google-Kontos entfernen und noch einmal verbinden.",
    erasing: "Was hier über Sie gespeichert ist, wird gerade gelöscht. Bitte danach noch einmal versuchen.",
    disconnecting: "Die vorige Verbindung wird noch getrennt. Bitte in einer Minute noch einmal versuchen.",
    connection_changed: "Die Verbindung wurde im selben Augenblick geändert. Bitte noch einmal versuchen.",
    unreachable:
      "Der Server antwortete nicht. Bitte die Seite neu laden, um zu sehen, ob der Kalender verbunden ist.",
    other_account: "Ein anderes Google-Konto ist verbunden.",
  },
  refusal: (code) => `Der Kalender wurde nicht verbunden (${code}). Bitte noch einmal versuchen.`,

  menu: {
    open: "Mehr zu dieser Verbindung",
    otherAccount: "Anderes Konto verwenden",
    otherAccountQuestion: "Ein anderes Google-Konto verwenden?",
    keepAccount: "Dieses behalten",
    otherAccountMeans: (account) =>
      `Die Termine der Stunden verlassen den Kalender von ${account ?? "diesem Konto"} und erscheinen im anderen. Was daraus übernommen wurde, wird vergessen. Die Einstellungen bleiben.`,
    disconnect: "Trennen",
    disconnectQuestion: "Google Kalender trennen?",
    stay: "Verbunden bleiben",
    disconnectMeans:
      "Die Stunden bleiben, wie sie sind. Ihre Termine werden aus dem Kalender entfernt, wenn sie nicht behalten werden.",
    keepEvents: "Termine der Stunden in Google behalten",
    keepImported: "Aus Google Übernommenes behalten",
  },

  state: {
    notConnected: "Nicht verbunden",
    invitation: "Verbinden Sie den Kalender, in dem Sie Ihre Tage planen.",
    needsPermission: "Google braucht Ihre Erlaubnis noch einmal",
    heldUp: "Die Synchronisation stockt",
    off: "Die Synchronisation ist aus",
    disconnecting: "Wird getrennt …",
    failed: (lessons, max) => `${atLeast(lessons, max, "Stunde", "Stunden")} nicht wie vorgesehen in Google`,
    waiting: (changes, max) => `${atLeast(changes, max, "Änderung", "Änderungen")} unterwegs.`,
    writing: (changes, max) =>
      `Wird in Google eingetragen: noch ${atLeast(changes, max, "Änderung", "Änderungen")}`,
    waitingForYou: (changes, max) =>
      `${atLeast(changes, max, "Änderung", "Änderungen")} von Hand zu synchronisieren`,
    byHand: "Synchronisiert wird von Hand",
    firstSync: "Wird zum ersten Mal synchronisiert …",
    firstToGo: (lessons, max) => `Erste Synchronisation: noch ${atLeast(lessons, max, "Stunde", "Stunden")}`,
    firstListing: (events) => `Erste Synchronisation: ${read(events)}`,
    firstListingWithLessons: (events, written, lessons) =>
      `Erste Synchronisation: ${read(events)}, ${grouped(written)} von ${grouped(lessons)} Stunden in Google`,
    listingAnew: (events) => `Der Kalender wird neu gelesen: ${read(events)}`,
    firstHint: "Das geht von selbst weiter; Sie können diese Seite verlassen.",
    upToDate: "Auf dem neuesten Stand",
    notWritten: "Stunden werden nicht in Google eingetragen.",
    allWritten: "Ihre Stunden des kommenden Jahres stehen alle in Google.",
    lastSynced: (ago) => `Zuletzt synchronisiert: ${ago}.`,
  },
  reasons: {
    google_unavailable: "Google antwortet gerade nicht. Es wird von selbst wieder versucht.",
    store_unavailable: "Unsere Datenbank antwortet gerade nicht. Es wird von selbst wieder versucht.",
    quota_exceeded:
      "Das Nutzungslimit von Google ist erreicht. In einigen Stunden geht es von selbst weiter.",
    calendar_gone:
      "Google zeigt diesen Kalender nicht mehr; das Protokoll sagt, mit welcher Begründung. Es wird von selbst wieder versucht.",
    google_refused:
      "Google zeigt diesen Kalender nicht; das Protokoll sagt, mit welcher Begründung. Es wird von selbst wieder versucht.",
    run_cut: "Der letzte Lauf wurde vor seinem Ende abgebrochen. Es geht von selbst weiter.",
    unfinished: "Etwas steht noch aus; das Protokoll sagt, was. Es geht von selbst weiter.",
    deleted_client:
      "Google weist diese Anwendung ab; ihr Betreiber muss das beheben. Danach geht es von selbst weiter.",
    unauthorized_client:
      "Google weist diese Anwendung ab; ihr Betreiber muss das beheben. Danach geht es von selbst weiter.",
    invalid_client:
      "Google weist diese Anwendung ab; ihr Betreiber muss das beheben. Danach geht es von selbst weiter.",
    invalid_grant: "Die Erlaubnis wurde bei Google zurückgezogen. Bitte neu verbinden.",
    insufficientPermissions:
      "Eine der Erlaubnisse fehlt. Bitte neu verbinden und alle Häkchen gesetzt lassen.",
  },
  push: {
    healthy: "Änderungen in Google sind in Sekunden bekannt.",
    unhealthy:
      "Die Benachrichtigung von Google wurde nicht rechtzeitig erneuert; es wird regelmäßig nachgesehen.",
    suspect: "Google hat eine Änderung nicht gemeldet; bis zur nächsten Meldung wird regelmäßig nachgesehen.",
    unsupported: "Google meldet Änderungen dieses Kalenders nicht; es wird regelmäßig nachgesehen.",
    closed: "Google meldet Änderungen noch nicht; es wird regelmäßig nachgesehen.",
    off: "Änderungen in Google wird nicht gefolgt.",
  },
  errors: {
    http_401: "Die Sitzung ist abgelaufen. Bitte noch einmal anmelden.",
    unreachable: "Der Server antwortet nicht. Ist dieses Gerät online?",
    google_unavailable: "Google antwortet nicht. Bitte noch einmal versuchen.",
    store_unavailable: "Die Datenbank antwortet nicht. Bitte noch einmal versuchen.",
    kms_unavailable: "Ein Dienst antwortet nicht. Bitte noch einmal versuchen.",
    not_connected: "Es ist kein Kalender verbunden.",
    unknown_conflict: "Diese Überschneidung gibt es nicht mehr.",
    too_many_ignored: "Für diese Stunde sind schon zwanzig Überschneidungen in Ordnung.",
  },

  offline: {
    title: "Sie sind offline",
    since: (moment) =>
      `Was Sie sehen, ist der Stand von ${moment}. Es geht weiter, sobald Sie wieder online sind.`,
    waiting: "Es geht weiter, sobald Sie wieder online sind.",
  },

  details: {
    title: "Einzelheiten",
    connected: "Verbunden",
    lastSync: "Letzte Synchronisation",
    nextCheck: "Nächste Prüfung",
    push: "Änderungen in Google",
    timeZone: "Zeitzone",
    failedLessons: "Stunden, die nicht synchronisiert werden konnten",
    technical: "Technisches",
    refusedByGoogle:
      "Google nahm sie nicht an. Es wird wieder versucht, sobald sich die Stunde ändert oder Sie von Hand synchronisieren.",
  },

  sync: {
    now: "Jetzt synchronisieren",
    underWay: "Wird synchronisiert …",
    goesOn: "Die Synchronisation läuft im Hintergrund weiter.",
    partial: "Ein Teil steht noch aus; das Protokoll sagt, was.",
    done: (what) => `Synchronisiert: ${what}.`,
    bounded: "Nur einige Tage oder eine Richtung",
    from: "Von",
    to: "Bis",
    these: "Diese synchronisieren",
  },
  did: {
    created: (number) => `${lessons(number)} eingetragen`,
    updated: (number) => `${lessons(number)} geändert`,
    deleted: (number) => `${lessons(number)} entfernt`,
    conflicts: (number) => counted(number, "neue Überschneidung", "neue Überschneidungen"),
    takenIn: (number) => `${events(number)} übernommen`,
    nothing: "nichts Neues",
  },

  connections: {
    title: "Verbundene Kalender",
    search: "Nach Name, Adresse oder ID suchen",
    show: "Anzeigen",
    filters: {
      all: "Alle",
      attention: "Zu beachten",
      active: "In Ordnung",
      syncing: "Gerade in Arbeit",
      failing: "Stockt",
      needs_reauth: "Erlaubnis zurückgezogen",
      push_suspect: "Meldungen fehlen",
      client_refused: "Von Google abgewiesen",
      switched_off: "Aus",
    },
    attention: (count, more) =>
      more
        ? `Mehr als ${count} Kalender sind zu beachten`
        : count === 1
          ? "1 Kalender ist zu beachten"
          : `${count} Kalender sind zu beachten`,
    showThem: "Anzeigen",
    none: "Noch ist kein Kalender verbunden. Jede Lehrkraft verbindet den eigenen.",
    noneOf: "Kein Kalender ist in diesem Zustand.",
    allWell: "Alle verbundenen Kalender sind in Ordnung.",
    noMatch: (text) => `Kein geladener Kalender passt zu „${text}“.`,
    more: "Weitere anzeigen",
    looking: "Wird geladen …",
    end: (count) => `${count} Kalender, das sind alle.`,
    forAdministrators: "Diese Liste ist für die Verwaltung.",
    again: "Noch einmal versuchen",
    neverSynced: "Noch nicht synchronisiert",
    synced: (ago) => `Synchronisiert ${ago}`,
    failures: (count) => `${counted(count, "Lauf", "Läufe")} nacheinander gescheitert.`,
    states: {
      working: "In Ordnung",
      first: "Erste Synchronisation …",
      syncing: "Wird synchronisiert …",
      heldUp: "Stockt",
      refused: "Von Google abgewiesen",
      withdrawn: "Erlaubnis zurückgezogen",
      suspect: "Meldungen fehlen",
      off: "Aus",
      disconnecting: "Wird getrennt …",
    },
    reasons: {
      invalid_grant:
        "Google erlaubt den Zugriff nicht mehr. Die Lehrkraft muss neu verbinden; es geht nichts verloren.",
      insufficientPermissions:
        "Eine der Erlaubnisse fehlt. Die Lehrkraft muss neu verbinden und alle Häkchen gesetzt lassen.",
    },
    connectAgain: "Die Lehrkraft muss neu verbinden; es geht nichts verloren.",
    menu: (name) => `Mehr zu ${name}`,
    of: (action, name) => `${action}, ${name}`,
    copyLink: "Link zum Neuverbinden kopieren",
    copied: "Der Link ist kopiert. Schicken Sie ihn der Lehrkraft.",
    notCopied: (link) => `Schicken Sie der Lehrkraft diesen Link: ${link}`,
    busy: "Belegte Zeiten zeigen",
    busyTitle: (name) => `Belegte Zeiten von ${name}`,
    close: "Schließen",
    disconnectQuestion: (name) => `Den Kalender von ${name} trennen?`,
  },

  settings: {
    title: "Einstellungen",
    on: "Synchronisation ist an",
    automatic: "Von selbst synchronisieren",
    direction: "Richtung",
    directions: {
      two_way: "In beide Richtungen",
      to_google: "Nur Stunden nach Google",
      from_google: "Nur aus Google",
    },
    shareTitles: "Die Verwaltung sieht die Titel meiner Termine",
    interval: "Wenn Google Änderungen nicht meldet, nachsehen alle",
    every: (minutes) =>
      minutes < 60 ? `${minutes} Minuten` : minutes === 60 ? "60 Minuten" : `${minutes / 60} Stunden`,
  },

  calendar: {
    title: "Kalender",
    allDay: "ganztägig",
    today: "Heute",
    day: "Tag",
    week: "Woche",
    month: "Monat",
    lessons: "Stunden",
    busy: "Beschäftigt in Google",
    free: "Frei in Google",
    overlap: "Überschneidung",
    onlyOverlaps: "Nur Überschneidungen",
    notKept: (day) => `Termine vor ${day} werden nicht aufbewahrt.`,
    zone: (zone) => `Alle Zeiten gelten in ${zone}.`,
    close: "Schließen",
    open: "Kalender bei Google öffnen",
  },
  entry: {
    lesson: (when) => `Eine Stunde, ${when}.`,
    lessonOverlaps: "Sie überschneidet sich mit etwas in Google.",
    event: (when) => `In Google, ${when}.`,
    place: (place) => `Ort: ${place}.`,
    repeats: "Der Termin wiederholt sich.",
    tentative: "Der Termin ist vorläufig.",
    free: (why) => `Die Zeit bleibt frei: ${why}.`,
    overlaps: (lesson, time) => `Überschneidet sich ${time} lang mit ${lesson}.`,
  },
  freeBecause: {
    cancelled: "abgesagt",
    transparent: "als frei markiert",
    declined: "abgelehnt",
    working_location: "ein Arbeitsort",
    birthday: "ein Geburtstag",
  },

  conflicts: {
    title: "Überschneidungen",
    none: (others) => `Keine${others ? " andere" : ""} Stunde überschneidet sich mit etwas in Google.`,
    overlaps: "überschneidet sich mit",
    inCommon: (time) => `${time} gemeinsam`,
    more: (conflicts) => `Und ${conflicts} weitere.`,
    decide: { ignored: "Das ist in Ordnung", live: "Wieder melden" },
    ignored: (conflicts) => `${counted(conflicts, "Überschneidung", "Überschneidungen")} in Ordnung`,
    by: { instructor: "In Ordnung, sagt die Lehrkraft", admin: "In Ordnung, sagt die Verwaltung" },
  },

  activity: {
    title: "Protokoll",
    none: "In letzter Zeit nichts Neues.",
    earlier: "Früheres zeigen",
    causes: {
      connect: "Nach dem Verbinden synchronisiert",
      manual: "Von Hand synchronisiert",
      webhook: "In Google änderte sich etwas",
      poll: "In Google wurde nachgesehen",
      lesson: "Stunden änderten sich",
      settings: "Einstellungen änderten sich",
    },
    acts: {
      connected: (who) => `${has(who)} den Kalender verbunden`,
      connected_again: (who) => `${has(who)} den Kalender neu verbunden`,
      account_replaced: (who) => `${has(who)} ein anderes Google-Konto verbunden`,
      disconnected: (who, { keepEvents, keepImported }) => {
        const kept = [keepEvents && "die Termine der Stunden in Google", keepImported && "das Übernommene"];
        const what = kept.filter(Boolean).join(" und ");
        return `${has(who)} den Kalender getrennt${what && ` und ${what} behalten`}`;
      },
      syncEnabled: (who, on) => `${has(who)} die Synchronisation ${on ? "ein" : "aus"}geschaltet`,
      autoSync: (who, on) => `${has(who)} das Synchronisieren von selbst ${on ? "ein" : "aus"}geschaltet`,
      shareTitles: (who, on) =>
        `${has(who)} die Titel der Termine der Verwaltung ${on ? "gezeigt" : "wieder verborgen"}`,
      syncDirection: (who, direction) => `${has(who)} als Richtung „${direction}“ gewählt`,
      syncIntervalMinutes: (who, every) =>
        `${has(who)} gewählt, dass alle ${every} nachgesehen wird, wenn Google Änderungen nicht meldet`,
      synced: (who) => `${has(who)} von Hand synchronisiert`,
    },
    underWay: "läuft noch",
    failed: "gelang nicht",
    partLeft: ", ein Teil steht aus",
    cost: (when, milliseconds, calls) =>
      `${when}, ${milliseconds} ms, ${counted(calls, "Aufruf", "Aufrufe")} bei Google`,
  },
};

export const german: Catalogue = { words, calendarLocale };
