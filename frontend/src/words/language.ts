/** The language of the page: its sentences, and how it writes times. */
import type { LocaleInput } from "@fullcalendar/react";
import { createContext, useContext } from "react";

import { type Formats, formats } from "../format";
import { en, type Words } from "./en";

/** What a language consists of. */
export interface Catalogue {
  words: Words;
  /** The calendar view's own sentences; English has none. */
  calendarLocale?: LocaleInput;
}

export interface Language extends Catalogue {
  /** A BCP 47 tag, as the viewer's browser names it. */
  tag: string;
  format: Formats;
}

/** A viewer loads what they read. */
const CATALOGUES: Record<string, () => Promise<Catalogue>> = {
  en: () => Promise.resolve({ words: en }),
  de: async () => (await import("./de")).german,
};

const language = (tag: string, catalogue: Catalogue): Language => ({
  ...catalogue,
  tag,
  format: formats(tag, catalogue.words.justNow),
});

export const english = language("en-US", { words: en });

/** The first of the viewer's languages that the page speaks, else English; so too where one cannot be loaded, or its tag
 * is none. */
export async function languageOf(tags: readonly string[]): Promise<Language> {
  for (const tag of tags) {
    const load = CATALOGUES[tag.slice(0, 2)];
    const loaded = await load?.()
      .then((catalogue) => language(tag, catalogue))
      .catch(() => undefined);
    if (loaded) return loaded;
  }
  return english;
}

const LanguageContext = createContext<Language | null>(english);
export const LanguageProvider = LanguageContext.Provider;
/** `null` until the language is loaded. */
export const useLoadedLanguage = (): Language | null => useContext(LanguageContext);

/** The language, of what stands in a `Scope`. */
export function useLanguage(): Language {
  const language = useLoadedLanguage();
  if (language === null) throw new Error("the language is not loaded yet");
  return language;
}
