import { createContext, type ReactNode, useContext, useRef } from "react";

import { useCalendar, useStatus } from "../api/calendar";
import { LanguageProvider, useLoadedLanguage } from "../words/language";
import { Skeleton } from "./Skeleton";
import { useKeepFocus } from "./useKeepFocus";

export type Theme = "light" | "dark" | "system";
export const ThemeContext = createContext<Theme>("light");

const WithinContext = createContext(false);

/** The root of what the package draws in a host's page: its styles hold below it and nowhere else. */
export function Scope({ children }: { children: ReactNode }) {
  const within = useContext(WithinContext);
  const { instructorId } = useCalendar();
  // Of another instructor nothing stays, neither a message nor what was opened.
  return within ? children : <Root key={instructorId}>{children}</Root>;
}

function Root({ children }: { children: ReactNode }) {
  const theme = useContext(ThemeContext);
  const language = useLoadedLanguage();
  const root = useRef<HTMLDivElement>(null);
  useKeepFocus(root);
  // Asked for beside the language, and not after it.
  useStatus();
  return (
    <WithinContext value={true}>
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
