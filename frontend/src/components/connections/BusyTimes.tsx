import { useId, useRef, useState } from "react";

import { useLanguage } from "../../words/language";
import { ExternalEventsViewer } from "../calendar/ExternalEventsViewer";

interface Props {
  /** The instructor's name. */
  called: string;
  onClose: () => void;
}

/** A button that shows when an instructor is busy; with what, only where they share it. */
export function BusyTimes({ called, onClose }: Props) {
  const { connections: words } = useLanguage().words;
  const dialog = useRef<HTMLDialogElement>(null);
  const [shown, setShown] = useState(false);
  const title = useId();
  const open = () => {
    setShown(true);
    dialog.current?.showModal();
  };
  const closed = () => {
    setShown(false);
    onClose();
  };
  return (
    <>
      <button type="button" onClick={open}>
        {words.busy}
      </button>
      <dialog ref={dialog} className="calendar wide-dialog" aria-labelledby={title} onClose={closed}>
        <div className="title">
          <h3 id={title}>{words.busyTitle(called)}</h3>
          <button type="button" onClick={() => dialog.current?.close()}>
            {words.close}
          </button>
        </div>
        {shown && <ExternalEventsViewer lessons={NO_LESSONS} />}
      </dialog>
    </>
  );
}

const NO_LESSONS = [] as const;
