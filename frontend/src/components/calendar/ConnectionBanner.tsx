import { useConnect, useStatus } from "../../api/calendar";
import { Problem } from "../Problem";
import { headline } from "./headline";

/** On every tab: that the connection needs its owner, and the one thing to do. */
export function ConnectionBanner() {
  const { data: status } = useStatus();
  const connect = useConnect();
  if (status?.state !== "needs_reauth") return null;
  const { title, hint } = headline(status);
  return (
    <div role="alert" className="banner">
      <p>
        <strong>{title}.</strong> {hint}
      </p>
      <button type="button" disabled={connect.isPending} onClick={() => connect.mutate(false)}>
        Connect again
      </button>
      <Problem error={connect.error} />
    </div>
  );
}
