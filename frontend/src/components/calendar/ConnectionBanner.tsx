import { type Status, useConnect, useStatus } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { ActionButton } from "../ActionButton";
import { Problem } from "../Problem";
import { Scope } from "../Scope";
import { useNow } from "../useNow";
import { headline } from "./headline";

/** On every tab: that the connection does not work, and what its owner can do for it. */
export function ConnectionBanner() {
  const { data: status } = useStatus();
  if (status?.state !== "needs_reauth" && status?.state !== "client_refused") return null;
  return (
    <Scope>
      <Banner status={status} />
    </Scope>
  );
}

function Banner({ status }: { status: Status }) {
  const language = useLanguage();
  const connect = useConnect();
  const now = useNow();
  const { title, hint } = headline(status, language, now);
  return (
    <div role="alert" className="banner">
      <p>
        <strong>{title}.</strong> {hint}
      </p>
      {status.state === "needs_reauth" && (
        <ActionButton pending={connect.isPending} onPress={() => connect.mutate(false)}>
          {language.words.connect.again}
        </ActionButton>
      )}
      <Problem error={connect.error} />
    </div>
  );
}
