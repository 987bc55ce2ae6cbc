import { useConnect, useDisconnect, type Status } from "../../api/calendar";
import { Confirm } from "../Confirm";
import { Problem } from "../Problem";

/** Connects a Google calendar, connects it again after Google withdrew its permission, lets another account take its place,
 * or disconnects it. */
export function CalendarConnectButton({ status }: { status: Status }) {
  const connect = useConnect();
  const wantsLogin = !status.connected || status.state === "needs_reauth";
  return (
    <>
      {wantsLogin && (
        <button
          type="button"
          className="primary"
          disabled={connect.isPending || status.state === "disconnecting"}
          onClick={() => connect.mutate(false)}
        >
          {status.connected ? "Connect again" : "Connect Google Calendar"}
        </button>
      )}
      {status.connected && status.state !== "disconnecting" && (
        <>
          <Disconnect />
          <Confirm
            action="Use another account"
            pending={connect.isPending}
            question="Use another Google account?"
            refuse="Keep this one"
            onConfirm={() => connect.mutate(true)}
          >
            <p>
              The lessons&apos; events leave the calendar of {status.googleAccount ?? "this account"} and
              appear in the other. What was imported from it is forgotten. The settings stay.
            </p>
          </Confirm>
        </>
      )}
      <Problem error={connect.error} />
    </>
  );
}

function Disconnect() {
  const disconnect = useDisconnect();
  return (
    <>
      <Confirm
        action="Disconnect"
        pending={disconnect.isPending}
        question="Disconnect Google Calendar?"
        refuse="Stay connected"
        onConfirm={(kept) =>
          disconnect.mutate({ keepEvents: kept.has("keepEvents"), keepImported: kept.has("keepImported") })
        }
      >
        <p>Lessons stay as they are. Their events are removed from the calendar unless you keep them.</p>
        <label>
          <input type="checkbox" name="keepEvents" /> Keep the lessons&apos; events in Google
        </label>
        <label>
          <input type="checkbox" name="keepImported" /> Keep what was imported from Google
        </label>
      </Confirm>
      <Problem error={disconnect.error} />
    </>
  );
}
