/** The package's components. The host imports `@calendar-sync/react/style.css` beside them. */
import "./styles/index.css";

export { type Status as CalendarStatus, useCalendarStatus } from "./api/calendar";
export type { GetToken } from "./api/client";
export { CalendarSyncProvider, type CalendarSyncProviderProps } from "./CalendarSyncProvider";
export { CalendarConnectButton } from "./components/calendar/CalendarConnectButton";
export { CalendarSyncStatus } from "./components/calendar/CalendarSyncStatus";
export { ConnectionBanner } from "./components/calendar/ConnectionBanner";
export { ExternalEventsViewer } from "./components/calendar/ExternalEventsViewer";
export type { CalendarLesson } from "./components/calendar/lessons";
export {
  CalendarConnections,
  type CalendarConnectionsProps,
} from "./components/connections/CalendarConnections";
export { CalendarSyncTab } from "./components/CalendarSyncTab";
export { LoginNotice } from "./login/LoginNotice";
export type { LoginOutcome } from "./login/outcome";
export { useLoginOutcome } from "./login/useLogin";
