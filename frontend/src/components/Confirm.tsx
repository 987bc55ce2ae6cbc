import { type ReactNode, useId, useRef } from "react";

interface Props {
  /** The button that asks, and the one that does it. */
  action: string;
  pending: boolean;
  question: string;
  /** What follows from it, and what can be chosen. */
  children: ReactNode;
  /** What leaves all as it is. */
  refuse: string;
  onConfirm: (choices: FormData) => void;
}

/** A button that asks before it does what cannot be undone. */
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
