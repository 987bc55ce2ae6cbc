import { useLanguage } from "../words/language";
import { useNow } from "./useNow";

/** How long ago a time was; the time itself shows on demand. */
export function Ago({ at, timeZone }: { at: string; timeZone: string | undefined }) {
  const { format } = useLanguage();
  return <small title={format.moment(at, timeZone)}>{format.ago(at, useNow())}</small>;
}
