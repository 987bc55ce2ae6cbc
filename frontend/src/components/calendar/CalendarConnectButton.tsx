import { useConnect, type Status } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Problem } from "../Problem";

/** Connects a Google calendar, or connects it again after Google withdrew its permission. */
export function CalendarConnectButton({ status }: { status: Status }) {
  const { words } = useLanguage();
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
        {status.connected ? words.connect.again : words.connect.first}
      </button>
      <Problem error={connect.error} />
    </>
  );
}
