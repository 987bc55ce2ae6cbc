import { useConnect, useStatus } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Problem } from "../Problem";
import { useNow } from "../useNow";
import { headline } from "./headline";

/** On every tab: that the connection does not work, and what its owner can do for it. */
export function ConnectionBanner() {
  const language = useLanguage();
  const { data: status } = useStatus();
  const connect = useConnect();
  const now = useNow();
  if (status?.state !== "needs_reauth" && status?.state !== "client_refused") return null;
  const { title, hint } = headline(status, language, now);
  return (
    <div role="alert" className="banner">
      <p>
        <strong>{title}.</strong> {hint}
      </p>
      {status.state === "needs_reauth" && (
        <button type="button" disabled={connect.isPending} onClick={() => connect.mutate(false)}>
          {language.words.connect.again}
        </button>
      )}
      <Problem error={connect.error} />
    </div>
  );
}
