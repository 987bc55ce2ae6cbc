import { type ReactNode, useId, useRef } from "react";

import { useLanguage } from "../words/language";
import { ActionButton } from "./ActionButton";

interface Props {
  /** The texts of the button that opens the dialog and of the one that confirms. */
  action: string;
  pending: boolean;
  question: string;
  /** The consequences and options. */
  children: ReactNode;
  /** The text of the button that cancels. */
  refuse: string;
  onConfirm: (choices: FormData) => void;
  /** Called after the dialog has closed, whatever was answered. */
  onClose?: () => void;
}

/** A button with a confirmation, for actions that cannot be undone. */
export function Confirm({ action, pending, question, children, refuse, onConfirm, onClose }: Props) {
  const { words } = useLanguage();
  const dialog = useRef<HTMLDialogElement>(null);
  const safe = useRef<HTMLButtonElement>(null);
  const title = useId();
  const open = () => {
    dialog.current?.showModal();
    // The safe answer has the focus.
    safe.current?.focus();
  };
  return (
    <>
      <ActionButton pending={pending} onPress={open}>
        {pending ? words.pending(action) : action}
      </ActionButton>
      <dialog ref={dialog} aria-labelledby={title} onClose={onClose}>
        <form method="dialog" onSubmit={(submitted) => onConfirm(new FormData(submitted.currentTarget))}>
          <h3 id={title}>{question}</h3>
          {children}
          <div className="row">
            <button ref={safe} type="reset" onClick={() => dialog.current?.close()}>
              {refuse}
            </button>
            <button className="danger">{action}</button>
          </div>
        </form>
      </dialog>
    </>
  );
}
