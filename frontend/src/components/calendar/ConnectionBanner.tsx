import { useConnect, useStatus } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Problem } from "../Problem";
import { headline } from "./headline";

/** On every tab: that the connection needs its owner, and the one thing to do. */
export function ConnectionBanner() {
  const language = useLanguage();
  const { data: status } = useStatus();
  const connect = useConnect();
  if (status?.state !== "needs_reauth") return null;
  const { title, hint } = headline(status, language);
  return (
    <div role="alert" className="banner">
      <p>
        <strong>{title}.</strong> {hint}
      </p>
      <button type="button" disabled={connect.isPending} onClick={() => connect.mutate(false)}>
        {language.words.connect.again}
      </button>
      <Problem error={connect.error} />
    </div>
  );
}
