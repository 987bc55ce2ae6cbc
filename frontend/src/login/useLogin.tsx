import { createContext, type ReactNode, useContext, useEffect, useRef, useState } from "react";

import { useCalendar, useFinishLogin } from "../api/calendar";
import { ApiError } from "../api/client";
import { forgetLoginOutcome, type LoginOutcome, readLoginOutcome } from "./outcome";

/** The outcome of the login from which the browser returned; one whose cookie was not sent is finished here, once. */
export function useLogin(broughtAlong: LoginOutcome | null): LoginOutcome | null {
  const [outcome, setOutcome] = useState(broughtAlong);
  const { mutateAsync: finish } = useFinishLogin();
  const begun = useRef(false);
  useEffect(() => {
    if (outcome?.kind !== "finish" || begun.current) return;
    begun.current = true;
    finish({ state: outcome.state, code: outcome.code }).then(
      () => setOutcome({ kind: "connected" }),
      (error: unknown) =>
        setOutcome({ kind: "error", code: error instanceof ApiError ? error.code : "unknown" }),
    );
  }, [outcome, finish]);
  return outcome;
}

export const LoginContext = createContext<LoginOutcome | null>(null);

/** Takes the outcome of a login from the page's address. It is told to no other instructor than the one who returned. */
export function LoginProvider({ children }: { children: ReactNode }) {
  const { instructorId } = useCalendar();
  const [returned] = useState(() => ({ instructorId, outcome: readLoginOutcome() }));
  // Not before the page stands: React may begin to draw it more than once.
  useEffect(() => {
    if (returned.outcome !== null) forgetLoginOutcome();
  }, [returned]);
  const outcome = useLogin(returned.outcome);
  const value = returned.instructorId === instructorId ? outcome : null;
  return <LoginContext value={value}>{children}</LoginContext>;
}

/** The outcome of the login from which the browser returned, or `null`: a host shows where it is told. */
export const useLoginOutcome = (): LoginOutcome | null => useContext(LoginContext);
