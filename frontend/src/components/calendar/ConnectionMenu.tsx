import { useId, useRef } from "react";

import { type Connection, useConnect, useDisconnect } from "../../api/calendar";
import { Confirm } from "../Confirm";
import { Problem } from "../Problem";

/** What is done rarely with a connection: another account takes its place, or it is disconnected. */
export function ConnectionMenu({ connection }: { connection: Connection }) {
  const connect = useConnect();
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => menu.current?.hidePopover();
  if (connection.state === "disconnecting") return null;
  return (
    <>
      <button type="button" className="plain" popoverTarget={id} aria-label="More for this connection">
        <span aria-hidden="true">⋯</span>
      </button>
      <div id={id} ref={menu} popover="auto" className="menu">
        <Confirm
          action="Use another account"
          pending={connect.isPending}
          question="Use another Google account?"
          refuse="Keep this one"
          onConfirm={() => connect.mutate(true)}
          onClose={close}
        >
          <p>
            The lessons&apos; events leave the calendar of {connection.googleAccount ?? "this account"} and
            appear in the other. What was imported from it is forgotten. The settings stay.
          </p>
        </Confirm>
        <Disconnect onClose={close} />
      </div>
      <Problem error={connect.error} />
    </>
  );
}

function Disconnect({ onClose }: { onClose: () => void }) {
  const disconnect = useDisconnect();
  return (
    <>
      <Confirm
        action="Disconnect"
        pending={disconnect.isPending}
        question="Disconnect Google Calendar?"
        refuse="Stay connected"
        onClose={onClose}
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
