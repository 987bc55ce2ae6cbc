/** Every sentence of the page in English. The API's own sentences are English: what it says by a code has a translation
 * elsewhere, and stands here only where the page says it better. */

const counted = (number: number, one: string): string => `${number} ${one}${number === 1 ? "" : "s"}`;

const grouped = (number: number): string => number.toLocaleString("en");

const read = (events: number): string => `${grouped(events)} event${events === 1 ? "" : "s"} read`;

const atLeast = (number: number, max: number, one: string): string =>
  number < max ? counted(number, one) : `${max} ${one}s or more`;

const REFUSED_CLIENT =
  "Google refuses this application, for everyone. Its operator has to repair that; nothing is lost, and it goes on by itself then.";

/** How a person is called. */
export type Who = "you" | "instructor" | "admin" | { name: string };

/** What stayed of a connection. */
export interface Kept {
  keepEvents: boolean;
  keepImported: boolean;
}

const SUBJECTS = { you: "You", instructor: "The instructor", admin: "An administrator" };
const subject = (who: Who): string => (typeof who === "string" ? SUBJECTS[who] : who.name);

export const en = {
  googleCalendar: "Google Calendar",
  noTitle: "(no title)",
  busy: "Busy",
  aLesson: "A lesson",
  anEvent: "an event",
  /** After "overlaps". */
  someLesson: "a lesson",
  quoted: (title: string) => `“${title}”`,
  justNow: "just now",
  pending: (action: string) => `${action} …`,

  connect: {
    first: "Connect Google Calendar",
    again: "Connect again",
    done: "The calendar is connected.",
    finishing: "The calendar is being connected …",
    replace: "Let another account take its place",
    promises: [
      "Your lessons appear in your Google calendar, and follow when they change.",
      "What you plan in Google shows here, and a lesson that it overlaps is marked: never cancelled or moved.",
      "Of private events the school sees only that you are busy. You can disconnect at any time.",
    ],
  },
  /** Why a login came to nothing, by the API's code. */
  refusals: {
    consent_denied: "You did not allow it at Google. Nothing was connected.",
    permission_missing:
      "A box on Google's screen was left unticked. Please connect again and leave it ticked.",
    other_browser: "The login was begun in another browser. Please connect again.",
    unknown_state: "The login took longer than ten minutes, or was used before. Please connect again.",
    no_refresh_token:
      "Google gave no lasting permission. Remove this application from your Google account's connections, then connect again.",
    erasing: "What is kept of you here is being erased. Please try again when that has ended.",
    disconnecting: "The connection before is still being taken down. Please try again in a minute.",
    connection_changed: "The connection was changed at the same moment. Please try again.",
    unreachable: "The server did not answer. Reload the page to see whether the calendar is connected.",
    other_account: "Another Google account is connected.",
  } as Record<string, string>,
  refusal: (code: string) => `The calendar was not connected (${code}). Please try again.`,

  menu: {
    open: "More for this connection",
    otherAccount: "Use another account",
    otherAccountQuestion: "Use another Google account?",
    keepAccount: "Keep this one",
    otherAccountMeans: (account: string | null) =>
      `The lessons' events leave the calendar of ${account ?? "this account"} and appear in the other. What was imported from it is forgotten. The settings stay.`,
    disconnect: "Disconnect",
    disconnectQuestion: "Disconnect Google Calendar?",
    stay: "Stay connected",
    disconnectMeans:
      "Lessons stay as they are. Their events are removed from the calendar unless you keep them.",
    keepEvents: "Keep the lessons' events in Google",
    keepImported: "Keep what was imported from Google",
  },

  state: {
    notConnected: "Not connected",
    invitation: "Connect the calendar in which you plan your days.",
    needsPermission: "Google needs your permission again",
    heldUp: "The sync is held up",
    off: "Sync is off",
    disconnecting: "Disconnecting …",
    failed: (lessons: number, max: number) =>
      lessons === 1
        ? "1 lesson is not in Google as it should be"
        : `${atLeast(lessons, max, "lesson")} are not in Google as they should be`,
    waiting: (changes: number, max: number) => `${atLeast(changes, max, "change")} on the way.`,
    writing: (changes: number, max: number) => `Writing to Google: ${atLeast(changes, max, "change")} to go`,
    waitingForYou: (changes: number, max: number) =>
      `${atLeast(changes, max, "change")} to be synced by hand`,
    byHand: "Synced by hand",
    firstSync: "First sync under way …",
    firstToGo: (lessons: number, max: number) => `First sync: ${atLeast(lessons, max, "lesson")} to go`,
    firstListing: (events: number) => `First sync: ${read(events)}`,
    firstListingWithLessons: (events: number, written: number, lessons: number) =>
      `First sync: ${read(events)}, ${grouped(written)} of ${grouped(lessons)} lessons in Google`,
    listingAnew: (events: number) => `The calendar is read anew: ${read(events)}`,
    firstHint: "It goes on by itself; you may leave this page.",
    upToDate: "Up to date",
    notWritten: "Lessons are not written to Google.",
    allWritten: "Your lessons of the coming year are all in Google.",
    lastSynced: (ago: string) => `Last synced ${ago}.`,
  },
  /** The API's reasons for a state, by code, and what it says of push: where a person would not say it so. */
  reasons: {
    unfinished: "Something is still to be done; the activity says what. It goes on by itself.",
    calendar_gone:
      "Google no longer shows this calendar; the activity says with which reason. It is tried again by itself.",
    google_refused:
      "Google does not show this calendar; the activity says with which reason. It is tried again by itself.",
    deleted_client: REFUSED_CLIENT,
    unauthorized_client: REFUSED_CLIENT,
    invalid_client: REFUSED_CLIENT,
    invalid_grant: "The permission was withdrawn at Google. Connect again; nothing is lost.",
    insufficientPermissions: "One of the permissions is missing. Connect again, and leave all boxes ticked.",
  } as Record<string, string>,
  push: {
    healthy: "Known within seconds.",
    unhealthy: "Google's notices were not renewed in time; the calendar is checked regularly.",
    suspect: "Google did not tell us of a change; until it does, the calendar is checked regularly.",
    unsupported: "Google does not tell us of changes in this calendar; it is checked regularly.",
    closed: "Google does not tell us of changes yet; the calendar is checked regularly.",
  } as Record<string, string>,
  errors: { http_401: "Your session has ended. Sign in again." } as Record<string, string>,

  offline: {
    title: "You are offline",
    since: (moment: string) => `What you see is as of ${moment}. It goes on once you are online again.`,
    waiting: "It goes on once you are online again.",
  },

  details: {
    title: "Details",
    connected: "Connected",
    lastSync: "Last sync",
    nextCheck: "Next check",
    push: "Changes in Google",
    timeZone: "Time zone",
    failedLessons: "Lessons that could not be synced",
    technical: "Technical details",
    refusedByGoogle:
      "Google did not accept it. It is tried again when the lesson changes, or when you press Sync now.",
  },

  sync: {
    now: "Sync now",
    underWay: "Syncing …",
    goesOn: "The sync goes on in the background.",
    partial: "A part is still to be done; the activity says what.",
    done: (what: string) => `Synced: ${what}.`,
    bounded: "Only some days, or one way",
    from: "From",
    to: "To",
    these: "Sync these",
  },
  did: {
    created: (lessons: number) => `${counted(lessons, "lesson")} added`,
    updated: (lessons: number) => `${counted(lessons, "lesson")} updated`,
    deleted: (lessons: number) => `${counted(lessons, "lesson")} removed`,
    conflicts: (conflicts: number) => counted(conflicts, "new conflict"),
    takenIn: (events: number) => `${counted(events, "event")} taken in`,
    nothing: "nothing was new",
  },

  connections: {
    title: "Connected calendars",
    search: "Search by name, address or id",
    show: "Show",
    filters: {
      all: "All",
      attention: "Needs attention",
      active: "Working",
      syncing: "Syncing now",
      failing: "Held up",
      needs_reauth: "Permission withdrawn",
      push_suspect: "Notices missing",
      client_refused: "Refused by Google",
      switched_off: "Off",
    },
    attention: (count: number, more: boolean) =>
      more
        ? `More than ${count} calendars need attention`
        : count === 1
          ? "1 calendar needs attention"
          : `${count} calendars need attention`,
    showThem: "Show",
    none: "No calendar is connected yet. Each instructor connects their own.",
    noneOf: "No calendar is in this state.",
    allWell: "All connected calendars are in step.",
    noMatch: (text: string) => `No loaded calendar matches “${text}”.`,
    more: "Show more",
    looking: "Loading …",
    end: (count: number) => `${counted(count, "calendar")}, that is all.`,
    forAdministrators: "This list is for administrators.",
    again: "Try again",
    neverSynced: "Not synced yet",
    synced: (ago: string) => `Synced ${ago}`,
    failures: (count: number) => `${counted(count, "run")} failed in a row.`,
    states: {
      working: "Working",
      first: "First sync under way …",
      syncing: "Syncing …",
      heldUp: "Held up",
      refused: "Refused by Google",
      withdrawn: "Permission withdrawn",
      suspect: "Notices missing",
      off: "Off",
      disconnecting: "Disconnecting …",
    },
    /** What is said to the instructor elsewhere, to others. */
    reasons: {
      invalid_grant: "Google no longer permits access. The instructor connects again; nothing is lost.",
      insufficientPermissions:
        "One of the permissions is missing. The instructor connects again and leaves all boxes ticked.",
    } as Record<string, string>,
    connectAgain: "The instructor has to connect again; nothing is lost.",
    menu: (name: string) => `More for ${name}`,
    of: (action: string, name: string) => `${action}, ${name}`,
    copyLink: "Copy reconnect link",
    copied: "The link is copied. Send it to the instructor.",
    notCopied: (link: string) => `Send the instructor this link: ${link}`,
    busy: "Show when they are busy",
    busyTitle: (name: string) => `When ${name} is busy`,
    close: "Close",
    disconnectQuestion: (name: string) => `Disconnect the calendar of ${name}?`,
  },

  settings: {
    title: "Settings",
    on: "Sync is on",
    automatic: "Sync automatically",
    direction: "Direction",
    directions: {
      two_way: "Both ways",
      to_google: "Lessons to Google only",
      from_google: "From Google only",
    },
    shareTitles: "Administrators see the titles of my events",
    interval: "If Google does not tell us of changes, check every",
    every: (minutes: number) =>
      minutes < 60 ? `${minutes} minutes` : minutes === 60 ? "hour" : `${minutes / 60} hours`,
  },

  calendar: {
    title: "Calendar",
    allDay: "all day",
    today: "Today",
    day: "Day",
    week: "Week",
    month: "Month",
    lessons: "Lessons",
    busy: "Busy in Google",
    free: "Free in Google",
    overlap: "Overlap",
    onlyOverlaps: "Only overlaps",
    notKept: (day: string) => `Events before ${day} are not kept.`,
    zone: (zone: string) => `All times are those of ${zone}.`,
    close: "Close",
    open: "Open the calendar at Google",
  },
  entry: {
    lesson: (when: string) => `A lesson, ${when}.`,
    lessonOverlaps: "It overlaps something in Google.",
    event: (when: string) => `In Google, ${when}.`,
    place: (place: string) => `Place: ${place}.`,
    repeats: "It repeats.",
    tentative: "It is tentative.",
    free: (why: string) => `It keeps no time busy: ${why}.`,
    overlaps: (lesson: string, time: string) => `It overlaps ${lesson} for ${time}.`,
  },
  freeBecause: {
    cancelled: "it is cancelled",
    transparent: "it is marked as free",
    declined: "you declined it",
    working_location: "it is a working location",
    birthday: "it is a birthday",
  },

  conflicts: {
    title: "Conflicts",
    none: (others: boolean) => `No${others ? " other" : ""} lesson overlaps anything in Google.`,
    overlaps: "overlaps",
    inCommon: (time: string) => `${time} in common`,
    more: (conflicts: number) => `And ${conflicts} more.`,
    /** What a person may say of a conflict. */
    decide: { ignored: "This one is fine", live: "Flag it again" },
    ignored: (conflicts: number) => `${counted(conflicts, "overlap")} marked as fine`,
    by: { instructor: "Fine, says the instructor", admin: "Fine, says an administrator" },
  },

  activity: {
    title: "Activity",
    none: "Nothing new lately.",
    earlier: "Show earlier activity",
    causes: {
      connect: "Synced after connecting",
      manual: "Synced by hand",
      webhook: "Something changed in Google",
      poll: "Google was checked",
      lesson: "Lessons changed",
      settings: "Settings changed",
    },
    acts: {
      connected: (who: Who) => `${subject(who)} connected the calendar`,
      connected_again: (who: Who) => `${subject(who)} connected the calendar again`,
      account_replaced: (who: Who) => `${subject(who)} connected another Google account`,
      disconnected: (who: Who, { keepEvents, keepImported }: Kept) => {
        const kept = [keepEvents && "the lessons' events in Google", keepImported && "what was imported"];
        const what = kept.filter(Boolean).join(" and ");
        return `${subject(who)} disconnected the calendar${what && `, and kept ${what}`}`;
      },
      syncEnabled: (who: Who, on: boolean) => `${subject(who)} switched the sync ${on ? "on" : "off"}`,
      autoSync: (who: Who, on: boolean) => `${subject(who)} switched automatic sync ${on ? "on" : "off"}`,
      shareTitles: (who: Who, on: boolean) =>
        on
          ? `${subject(who)} shared the titles of events with administrators`
          : `${subject(who)} stopped sharing the titles of events with administrators`,
      syncDirection: (who: Who, direction: string) => `${subject(who)} set the direction to “${direction}”`,
      syncIntervalMinutes: (who: Who, every: string) =>
        `${subject(who)} had Google checked every ${every} where it does not tell of changes`,
      synced: (who: Who) => `${subject(who)} synced by hand`,
    },
    underWay: "under way",
    failed: "did not succeed",
    partLeft: ", a part is left",
    cost: (when: string, milliseconds: number, calls: number) =>
      `${when}, ${milliseconds} ms, ${counted(calls, "call")} to Google`,
  },
};

export type Words = typeof en;
