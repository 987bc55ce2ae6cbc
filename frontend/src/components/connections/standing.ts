/** What an administrator reads first of a connection: how it stands, and a sentence where there is something to say. */
import type { ListedConnection } from "../../api/connections";
import type { Words } from "../../words/en";
import type { Headline } from "../calendar/headline";

export function standing(connection: ListedConnection, words: Words): Headline {
  const { states, reasons, connectAgain, failures } = words.connections;
  const { state, reason, description, syncing, push, lastSyncedAt } = connection;
  const own = reasons[reason ?? ""];
  const why = own ?? words.reasons[reason ?? ""] ?? description;
  switch (state) {
    case "needs_reauth":
      return { tone: "bad", title: states.withdrawn, hint: own ?? connectAgain };
    case "client_refused":
      return { tone: "bad", title: states.refused, hint: why };
    case "failing":
      if (syncing) return { tone: "busy", title: states.syncing, hint: why };
      return { tone: "bad", title: states.heldUp, hint: `${why} ${failures(connection.failures)}` };
    case "switched_off":
      return { tone: "quiet", title: states.off, hint: "" };
    case "disconnecting":
      return { tone: "busy", title: states.disconnecting, hint: "" };
    case "active":
      if (syncing)
        return { tone: "busy", title: lastSyncedAt === null ? states.first : states.syncing, hint: "" };
      if (push.state === "suspect")
        return { tone: "warn", title: states.suspect, hint: words.push.suspect ?? push.description };
      return { tone: "good", title: states.working, hint: "" };
  }
}
