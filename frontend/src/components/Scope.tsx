import { createContext, type ReactNode, useContext, useRef } from "react";

import { useInstructorId, useStatus } from "../api/calendar";
import { LanguageProvider, useLoadedLanguage } from "../words/language";
import { Skeleton } from "./Skeleton";
import { useKeepFocus } from "./useKeepFocus";

export type Theme = "light" | "dark" | "system";
export const ThemeContext = createContext<Theme>("light");

const WithinContext = createContext(false);

/** The root of what the package draws in a host's page: its styles hold below it and nowhere else. */
export function Scope({ children }: { children: ReactNode }) {
  const within = useContext(WithinContext);
  const instructorId = useInstructorId();
  // Of another instructor nothing stays, neither a message nor what was opened.
  return within ? children : <Root key={instructorId ?? ""}>{children}</Root>;
}

/** Asks for the status beside the language, and not after it. */
function StatusAhead() {
  useStatus();
  return null;
}

function Root({ children }: { children: ReactNode }) {
  const theme = useContext(ThemeContext);
  const language = useLoadedLanguage();
  const root = useRef<HTMLDivElement>(null);
  useKeepFocus(root);
  const instructorId = useInstructorId();
  return (
    <WithinContext value={true}>
      {instructorId !== undefined && <StatusAhead />}
      <div ref={root} className="calendar-sync" data-theme={theme} lang={language?.tag}>
        {language === null ? (
          <Skeleton lines={3} />
        ) : (
          <LanguageProvider value={language}>{children}</LanguageProvider>
        )}
      </div>
    </WithinContext>
  );
}
