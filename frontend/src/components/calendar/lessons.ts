/** What the components need to know of the host's lessons. */
export interface CalendarLesson {
  id: string;
  title: string;
  startsAt: string;
  endsAt: string;
  status: "scheduled" | "cancelled";
  hasConflict: boolean;
}

/** The title of each lesson that is known. */
export const titles = (lessons: readonly CalendarLesson[]) => (lessonId: string) =>
  lessons.find(({ id }) => id === lessonId)?.title;

/** Where a person finds their calendar. */
export const GOOGLE_CALENDAR = "https://calendar.google.com/";
