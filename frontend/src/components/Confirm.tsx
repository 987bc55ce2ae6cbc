import { type ReactNode, useId, useRef } from "react";

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
}

/** A button with a confirmation, for actions that cannot be undone. */
export function Confirm({ action, pending, question, children, refuse, onConfirm }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const title = useId();
  return (
    <>
      <button type="button" disabled={pending} onClick={() => dialog.current?.showModal()}>
        {pending ? `${action} …` : action}
      </button>
      <dialog ref={dialog} aria-labelledby={title}>
        <form method="dialog" onSubmit={(submitted) => onConfirm(new FormData(submitted.currentTarget))}>
          <h3 id={title}>{question}</h3>
          {children}
          <div className="row">
            <button className="danger">{action}</button>
            <button type="reset" onClick={() => dialog.current?.close()}>
              {refuse}
            </button>
          </div>
        </form>
      </dialog>
    </>
  );
}
