import { useEffect, useRef, useState } from "react";

import { useFinishLogin } from "../api/calendar";
import { ApiError } from "../api/client";
import type { LoginOutcome } from "./loginOutcome";

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
