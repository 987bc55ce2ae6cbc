/** What the components need to know of the host's lessons. */
export interface CalendarLesson {
  id: string;
  title: string;
  startsAt: string;
  endsAt: string;
  status: "scheduled" | "cancelled";
  hasConflict: boolean;
}
