import "@calendar-sync/react/style.css";

import { type CalendarLesson, CalendarSyncProvider, CalendarSyncTab } from "@calendar-sync/react";
import { useEffect, useState } from "react";

import { API, INSTRUCTOR, accessToken, lessonsOf } from "./host";

export default function CalendarPage() {
  const [lessons, setLessons] = useState<CalendarLesson[]>([]);
  useEffect(() => void lessonsOf(INSTRUCTOR).then(setLessons), []);
  return (
    <CalendarSyncProvider
      apiUrl={API}
      instructorId={INSTRUCTOR}
      getToken={(refused) => accessToken({ renew: refused !== undefined })}
    >
      <CalendarSyncTab lessons={lessons} />
    </CalendarSyncProvider>
  );
}
