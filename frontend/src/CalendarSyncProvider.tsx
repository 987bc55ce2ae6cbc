import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useEffect, useLayoutEffect, useMemo, useState } from "react";

import { CalendarProvider, type Viewer } from "./api/calendar";
import { createApi, type GetToken } from "./api/client";
import { type Theme, ThemeContext } from "./components/Scope";
import { LoginProvider } from "./login/useLogin";
import { type Language, LanguageProvider, languageOf } from "./words/language";

export interface CalendarSyncProviderProps {
  /** The API's address. Left out if page and API are one site. */
  apiUrl?: string;
  /** The instructor whose calendar is shown. Left out for what is about all of a tenant's. */
  instructorId?: string;
  /** Whose token it is, if it is not the instructor's own: an administrator is not offered what is the instructor's alone. */
  viewer?: Viewer;
  /** The caller's token. It is asked for with each request, and once more with the token that the API refused. */
  getToken: GetToken;
  /** What the components look like: `light` unless it is said, or as the viewer's system is set. */
  theme?: Theme;
  /** A BCP 47 tag. Left out, the viewer's browser decides. */
  locale?: string;
  children: ReactNode;
}

/** What the components need: the API, the caller's token and a language. It finishes a login from which the browser
 * returns, and draws nothing of its own. */
export function CalendarSyncProvider({
  apiUrl = "",
  instructorId,
  viewer = "instructor",
  getToken,
  theme = "light",
  locale,
  children,
}: CalendarSyncProviderProps) {
  const [queries] = useState(newQueryClient);
  const [newest] = useState(() => newestOf(getToken));
  useLayoutEffect(() => newest.set(getToken), [newest, getToken]);
  const calendar = useMemo(
    () => ({ api: createApi(apiUrl, newest.getToken), instructorId, viewer }),
    [apiUrl, instructorId, viewer, newest],
  );
  return (
    <QueryClientProvider client={queries}>
      <LanguageProvider value={useLocale(locale)}>
        <CalendarProvider value={calendar}>
          <ThemeContext value={theme}>
            {instructorId === undefined ? children : <LoginProvider>{children}</LoginProvider>}
          </ThemeContext>
        </CalendarProvider>
      </LanguageProvider>
    </QueryClientProvider>
  );
}

// Requests are sent although the browser reports to be offline; a component shows an error if one fails.
const networkMode = "always";
const newQueryClient = () =>
  new QueryClient({
    defaultOptions: {
      queries: { retry: 1, networkMode, refetchOnReconnect: true },
      mutations: { networkMode },
    },
  });

/** Asks the function that the host gave last: a host may write a new one each time that it renders. */
function newestOf(given: GetToken) {
  let newest = given;
  return {
    getToken: (refused?: string) => newest(refused),
    set: (next: GetToken) => {
      newest = next;
    },
  };
}

/** The language of a locale, `null` until it is loaded. */
function useLocale(locale: string | undefined): Language | null {
  const [language, setLanguage] = useState<Language | null>(null);
  useEffect(() => {
    let current = true;
    void languageOf(locale === undefined ? navigator.languages : [locale]).then(
      (loaded) => current && setLanguage(loaded),
    );
    return () => {
      current = false;
    };
  }, [locale]);
  return language;
}
