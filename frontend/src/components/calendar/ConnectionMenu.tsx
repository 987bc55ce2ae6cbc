import { useId, useRef } from "react";

import { type Connection, useConnect, useDisconnect } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Confirm } from "../Confirm";
import { Problem } from "../Problem";
import { Disconnect } from "./Disconnect";

/** What is done rarely with a connection: another account takes its place, or it is disconnected. */
export function ConnectionMenu({ connection }: { connection: Connection }) {
  const { menu: words } = useLanguage().words;
  const connect = useConnect();
  const disconnect = useDisconnect();
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => menu.current?.hidePopover();
  const ends = connection.state === "disconnecting";
  return (
    <>
      {/* (A button that went or was disabled would lose the focus.) */}
      <button
        type="button"
        className="plain"
        popoverTarget={ends ? undefined : id}
        aria-disabled={ends}
        aria-label={words.open}
      >
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
        <Disconnect disconnect={disconnect} question={words.disconnectQuestion} onClose={close} />
      </div>
      {/* Outside of the menu, which is closed by the time that it fails. */}
      <Problem error={connect.error ?? disconnect.error} />
    </>
  );
}
