import { type Status, useConnect, useStatus } from "../api/calendar";
import { ActionButton } from "../components/ActionButton";
import { Problem } from "../components/Problem";
import { Scope } from "../components/Scope";
import { useLanguage } from "../words/language";
import { type LoginOutcome, refusalOf } from "./outcome";
import { useLoginOutcome } from "./useLogin";

/** The outcome of the login from which the browser returned, and what to do next. Without one there is nothing. */
export function LoginNotice() {
  const outcome = useLoginOutcome();
  const { data: status } = useStatus();
  if (outcome === null || (outcome.kind === "connected" && status && !isWell(status))) return null;
  return (
    <Scope>
      <Outcome outcome={outcome} />
    </Scope>
  );
}

/** That a calendar was connected is good news no longer once the connection has ended, or something failed since. */
const isWell = ({ state, counts }: Status): boolean => state === "active" && counts.lessonsFailed === 0;

function Outcome({ outcome }: { outcome: LoginOutcome }) {
  const { words } = useLanguage();
  const connect = useConnect();
  if (outcome.kind !== "error") {
    const done = outcome.kind === "connected";
    return (
      <p role="status" className={`wide ${done ? "good-news" : "empty"}`}>
        {done ? words.connect.done : words.connect.finishing}
      </p>
    );
  }
  return (
    <div role="alert" className="wide problem">
      <p>{refusalOf(outcome.code, words)}</p>
      {outcome.code === "other_account" && (
        <ActionButton pending={connect.isPending} onPress={() => connect.mutate(true)}>
          {words.connect.replace}
        </ActionButton>
      )}
      <Problem error={connect.error} />
    </div>
  );
}
