import { useId, useMemo, useRef, useState } from "react";

import { CalendarProvider, useApi, useDisconnect, useSyncNow } from "../../api/calendar";
import type { ListedConnection } from "../../api/connections";
import { useLanguage } from "../../words/language";
import { ActionButton } from "../ActionButton";
import { did } from "../calendar/did";
import { Disconnect } from "../calendar/Disconnect";
import { Problem } from "../Problem";
import { useNow } from "../useNow";
import { BusyTimes } from "./BusyTimes";
import { standing } from "./standing";

interface Props {
  connection: ListedConnection;
  /** As the host knows the instructor. */
  name: string | undefined;
  connectUrl: (instructorId: string) => string;
}

/** The states in which a sync may be tried. */
const SYNCED: ListedConnection["state"][] = ["active", "failing", "client_refused"];

/** A connection in the list. What is done in it is done for its instructor. */
export function ConnectionRow({ connection, ...props }: Props) {
  const api = useApi();
  const { instructorId } = connection;
  const calendar = useMemo(
    () => ({ api, instructorId, viewer: "administrator" as const }),
    [api, instructorId],
  );
  return (
    <CalendarProvider value={calendar}>
      <Row connection={connection} {...props} />
    </CalendarProvider>
  );
}

function Row({ connection, name, connectUrl }: Props) {
  const { words } = useLanguage();
  const account = connection.googleAccount ?? connection.calendarId;
  const called = name ?? account;
  const { tone, title, hint } = standing(connection, words);
  const sync = useSyncNow();
  const disconnect = useDisconnect();
  const [said, setSaid] = useState("");
  const copy = () => {
    const link = connectUrl(connection.instructorId);
    copied(link).then(
      () => setSaid(words.connections.copied),
      () => setSaid(words.connections.notCopied(link)),
    );
  };
  // The row itself says so.
  const withdrawn = connection.state === "needs_reauth";
  const syncNow = sync.isPending ? words.sync.underWay : words.sync.now;
  return (
    <li className="connection">
      <div className="whose">
        <strong>{called}</strong>
        <small>{name === undefined ? connection.instructorId : account}</small>
      </div>
      <div className="stands">
        <p className={`headline ${tone}`}>
          <span className="mark" aria-hidden="true" />
          <span>{title}</span>
        </p>
        {hint !== "" && <p className="hint">{hint}</p>}
      </div>
      <LastSync at={connection.lastSyncedAt} />
      <div className="row actions">
        {withdrawn && (
          <button
            type="button"
            aria-label={words.connections.of(words.connections.copyLink, called)}
            onClick={copy}
          >
            {words.connections.copyLink}
          </button>
        )}
        {SYNCED.includes(connection.state) && (
          <ActionButton
            label={words.connections.of(syncNow, called)}
            pending={sync.isPending}
            onPress={() => {
              setSaid("");
              sync.mutate({});
            }}
          >
            {syncNow}
          </ActionButton>
        )}
        <Menu connection={connection} called={called} disconnect={disconnect} onCopy={copy} />
      </div>
      <p role="status" className="hint outcome">
        {said}
        {said === "" && sync.data && outcomeOf(sync.data, words)}
      </p>
      <Problem error={(withdrawn ? null : sync.error) ?? disconnect.error} />
    </li>
  );
}

/** Without the leave to write to the clipboard there is none. */
const copied = async (text: string): Promise<void> => await navigator.clipboard.writeText(text);

type Words = ReturnType<typeof useLanguage>["words"];

function outcomeOf(done: NonNullable<ReturnType<typeof useSyncNow>["data"]>, words: Words): string {
  if (done.outcome === "running") return words.sync.goesOn;
  return done.outcome === "partial" ? words.sync.partial : words.sync.done(did(done, words.did));
}

/** How long ago; the time itself shows on demand. */
function LastSync({ at }: { at: string | null }) {
  const { words, format } = useLanguage();
  const now = useNow();
  const { synced, neverSynced } = words.connections;
  return (
    <small className="when" title={at === null ? undefined : format.moment(at)}>
      {at === null ? neverSynced : synced(format.ago(at, now))}
    </small>
  );
}

interface MenuProps {
  connection: ListedConnection;
  called: string;
  disconnect: ReturnType<typeof useDisconnect>;
  onCopy: () => void;
}

/** What is done seldom. */
function Menu({ connection, called, disconnect, onCopy }: MenuProps) {
  const { connections: words } = useLanguage().words;
  const menu = useRef<HTMLDivElement>(null);
  const id = useId();
  const close = () => menu.current?.hidePopover();
  if (connection.state === "disconnecting") return null;
  return (
    <>
      <button type="button" className="plain" popoverTarget={id} aria-label={words.menu(called)}>
        <span aria-hidden="true">⋯</span>
      </button>
      <div id={id} ref={menu} popover="auto" className="menu">
        <BusyTimes called={called} onClose={close} />
        {connection.state !== "needs_reauth" && (
          <button
            type="button"
            onClick={() => {
              onCopy();
              close();
            }}
          >
            {words.copyLink}
          </button>
        )}
        <Disconnect disconnect={disconnect} question={words.disconnectQuestion(called)} onClose={close} />
      </div>
    </>
  );
}
