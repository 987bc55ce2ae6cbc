import type { useDisconnect } from "../../api/calendar";
import { useLanguage } from "../../words/language";
import { Confirm } from "../Confirm";

interface Props {
  disconnect: ReturnType<typeof useDisconnect>;
  question: string;
  onClose: () => void;
}

/** Takes a connection down, once it is confirmed and said what is to be kept. */
export function Disconnect({ disconnect, question, onClose }: Props) {
  const { menu: words } = useLanguage().words;
  return (
    <Confirm
      action={words.disconnect}
      pending={disconnect.isPending}
      question={question}
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
  );
}
