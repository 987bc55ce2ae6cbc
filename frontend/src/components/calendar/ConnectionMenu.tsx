import { useId, useRef } from "react";

import { type Connection, useConnect, useDisconnect } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Confirm } from "../Confirm";
import { Problem } from "../Problem";

/** What is done rarely with a connection: another account takes its place, or it is disconnected. */
export function ConnectionMenu({ connection }: { connection: Connection }) {
  const { menu: words } = useLanguage().words;
  const connect = useConnect();
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => menu.current?.hidePopover();
  if (connection.state === "disconnecting") return null;
  return (
    <>
      <button type="button" className="plain" popoverTarget={id} aria-label={words.open}>
        <span aria-hidden="true">⋯</span>
      </button>
      <div id={id} ref={menu} popover="auto" className="menu">
        <Confirm
          action={words.otherAccount}
          pending={connect.isPending}
          question={words.otherAccountQuestion}
          refuse={words.keepAccount}
          onConfirm={() => connect.mutate(true)}
          onClose={close}
        >
          <p>{words.otherAccountMeans(connection.googleAccount)}</p>
        </Confirm>
        <Disconnect onClose={close} />
      </div>
      <Problem error={connect.error} />
    </>
  );
}

function Disconnect({ onClose }: { onClose: () => void }) {
  const { menu: words } = useLanguage().words;
  const disconnect = useDisconnect();
  return (
    <>
      <Confirm
        action={words.disconnect}
        pending={disconnect.isPending}
        question={words.disconnectQuestion}
        refuse={words.stay}
        onClose={onClose}
        onConfirm={(kept) =>
          disconnect.mutate({ keepEvents: kept.has("keepEvents"), keepImported: kept.has("keepImported") })
        }
      >
        <p>{words.disconnectMeans}</p>
        <label>
          <input type="checkbox" name="keepEvents" /> {words.keepEvents}
        </label>
        <label>
          <input type="checkbox" name="keepImported" /> {words.keepImported}
        </label>
      </Confirm>
      <Problem error={disconnect.error} />
    </>
  );
}
