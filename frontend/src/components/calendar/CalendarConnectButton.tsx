import { useConnect, type Status } from "../../api/calendar";
import { Problem } from "../Problem";

/** Connects a Google calendar, or connects it again after Google withdrew its permission. */
export function CalendarConnectButton({ status }: { status: Status }) {
  const connect = useConnect();
  if (status.connected && status.state !== "needs_reauth") return null;
  return (
    <>
      <button
        type="button"
        className="primary"
        disabled={connect.isPending || status.state === "disconnecting"}
        onClick={() => connect.mutate(false)}
      >
        {status.connected ? "Connect again" : "Connect Google Calendar"}
      </button>
      <Problem error={connect.error} />
    </>
  );
}
