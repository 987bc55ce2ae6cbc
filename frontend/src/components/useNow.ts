import { useEffect, useState } from "react";

const TICK_MS = 30_000;

/** The time, for sentences that say how long ago something was: they go on while nothing else changes. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const tick = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(tick);
  }, []);
  return now;
}
