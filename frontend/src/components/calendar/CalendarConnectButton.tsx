import { useConnect, useStatus } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { ActionButton } from "../ActionButton";
import { Problem } from "../Problem";
import { Scope } from "../Scope";
import { Skeleton } from "../Skeleton";

/** Connects a Google calendar, or connects it again after Google withdrew its permission. */
export function CalendarConnectButton() {
  return (
    <Scope>
      <ConnectButton />
    </Scope>
  );
}

function ConnectButton() {
  const { words } = useLanguage();
  const { data: status, error } = useStatus();
  const connect = useConnect();
  if (status === undefined) return error ? <Problem error={error} /> : <Skeleton className="control" />;
  if (status.connected && status.state !== "needs_reauth") return null;
  return (
    <>
      <ActionButton
        className="primary"
        pending={connect.isPending}
        disabled={status.state === "disconnecting"}
        onPress={() => connect.mutate(false)}
      >
        {status.connected ? words.connect.again : words.connect.first}
      </ActionButton>
      <Problem error={connect.error} />
    </>
  );
}
